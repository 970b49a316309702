import { chromium, type Browser } from 'playwright-core'

import { ensureChromium } from '../../support/chromium.ts'

const quiet = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** A real browser, with a profile of its own that ends with it. */
export async function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: await ensureChromium(), args: quiet })
}

export const phone = { width: 390, height: 844 }
export const desk = { width: 1280, height: 900 }
