"""Packs the yt-dlp at hand as its own releases are packed, under another version: OUT VERSION MAIN PACKAGE..."""

import importlib.util
import os
import pathlib
import re
import sys
import zipfile

out, version, main, *places = sys.argv[1:]


def files(place):
    """The package's sources by their path in the archive, from an archive or a folder."""
    if os.path.isdir(place):
        root = pathlib.Path(place)
        return {f'yt_dlp/{path.relative_to(root)}': path.read_bytes() for path in root.rglob('*.py')}
    with zipfile.ZipFile(place) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name.endswith('.py')}


found = importlib.util.find_spec('yt_dlp')
places += found.submodule_search_locations if found else []
package = files(next(place for place in places if os.path.isdir(place) or zipfile.is_zipfile(place)))
package['yt_dlp/version.py'] = re.sub(
    rb"__version__ = '[^']*'", f"__version__ = '{version}'".encode(), package['yt_dlp/version.py']
)
package['__main__.py'] = main.encode()

with open(out, 'wb') as file:
    file.write(b'#!/usr/bin/env python3\n')
    with zipfile.ZipFile(file, 'w', zipfile.ZIP_STORED) as archive:
        for name, content in sorted(package.items()):
            archive.writestr(name, content)
