import type { Catalogue, Item } from './catalogue.ts'
import { hash } from './poster.ts'

/** title | year | genres | director | cast | minutes | resolution */
const table = `
A Trip to the Moon|1902|Adventure,Fantasy|Georges Méliès|Georges Méliès,Bleuette Bernon|13|sd
The Cabinet of Dr. Caligari|1920|Horror,Mystery|Robert Wiene|Werner Krauss,Conrad Veidt|76|720
The Kid|1921|Comedy,Drama|Charlie Chaplin|Charlie Chaplin,Edna Purviance|68|720
Nosferatu|1922|Horror|F. W. Murnau|Max Schreck,Greta Schröder|94|1080
Häxan|1922|Horror,Documentary|Benjamin Christensen|Maren Pedersen|105|720
Safety Last!|1923|Comedy|Fred C. Newmeyer|Harold Lloyd,Mildred Davis|73|720
Sherlock Jr.|1924|Comedy,Mystery|Buster Keaton|Buster Keaton,Kathryn McGuire|45|1080
The Gold Rush|1925|Comedy,Adventure|Charlie Chaplin|Charlie Chaplin,Georgia Hale|95|720
Battleship Potemkin|1925|Drama,History|Sergei Eisenstein|Aleksandr Antonov|75|720
The General|1926|Comedy,Adventure|Buster Keaton|Buster Keaton,Marion Mack|79|1080
Metropolis|1927|Science Fiction,Drama|Fritz Lang|Brigitte Helm,Alfred Abel|153|1080
Sunrise|1927|Drama,Romance|F. W. Murnau|George O'Brien,Janet Gaynor|94|720
The Passion of Joan of Arc|1928|Drama,History|Carl Theodor Dreyer|Renée Falconetti|82|720
Steamboat Bill, Jr.|1928|Comedy|Buster Keaton|Buster Keaton,Ernest Torrence|70|720
Man with a Movie Camera|1929|Documentary|Dziga Vertov|Mikhail Kaufman|68|720
M|1931|Crime,Thriller|Fritz Lang|Peter Lorre,Otto Wernicke|117|1080
Vampyr|1932|Horror,Fantasy|Carl Theodor Dreyer|Julian West|73|sd
My Man Godfrey|1936|Comedy,Romance|Gregory La Cava|William Powell,Carole Lombard|94|720
His Girl Friday|1940|Comedy,Romance|Howard Hawks|Cary Grant,Rosalind Russell|92|1080
The Third Man|1949|Thriller,Mystery|Carol Reed|Joseph Cotten,Alida Valli|104|1080
Plan 9 from Outer Space|1957|Science Fiction,Horror|Ed Wood|Gregory Walcott,Vampira|79|sd
House on Haunted Hill|1959|Horror|William Castle|Vincent Price,Carol Ohmart|75|720
The Little Shop of Horrors|1960|Comedy,Horror|Roger Corman|Jonathan Haze,Jackie Joseph|72|sd
Carnival of Souls|1962|Horror|Herk Harvey|Candace Hilligoss|78|1080
Charade|1963|Comedy,Mystery|Stanley Donen|Cary Grant,Audrey Hepburn|113|1080
The Last Man on Earth|1964|Science Fiction,Horror|Ubaldo Ragona|Vincent Price|86|720
Night of the Living Dead|1968|Horror,Thriller|George A. Romero|Duane Jones,Judith O'Dea|96|4k
Le Fabuleux Destin d’Amélie Poulain|2001|Comedy,Romance|Jean-Pierre Jeunet|Audrey Tautou|122|1080
千と千尋の神隠し|2001|Animation,Fantasy|宮崎駿|柊瑠美|125|1080
Elephants Dream|2006|Animation,Science Fiction|Bassam Kurdali|Tygo Gernandt|11|1080
300|2006|Action,History|Zack Snyder|Gerard Butler|117|4k
Big Buck Bunny|2008|Animation,Comedy|Sacha Goedegebure|Frank & Rinky|10|4k
Sita Sings the Blues|2008|Animation,Romance|Nina Paley|Annette Hanshaw|82|1080
Wallace & Gromit: A Matter of Loaf and Death|2008|Animation,Comedy|Nick Park|Peter Sallis|29|1080
Sintel|2010|Animation,Fantasy|Colin Levy|Halina Reijn|15|4k
Tears of Steel|2012|Science Fiction|Ian Hubert|Derek de Lint|12|4k
Cosmos Laundromat|2015|Animation,Comedy|Mathieu Auvray|Pierre Bokma|12|4k
Spring|2019|Animation,Fantasy|Andy Goralczyk|Halina Reijn|8|4k
1917|2019|Drama,War|Sam Mendes|George MacKay|119|4k
|1999|Documentary|Unknown|Unknown|4|sd`

/** The day the oldest items were added; the others follow, one a day. */
export const firstAdded = Date.UTC(2024, 0, 1) / 1000
const day = 86_400

export function addMovies(catalogue: Catalogue, sectionKey: string, folder: string): void {
  for (const [index, line] of table.trim().split('\n').entries()) {
    const [title = '', year = '', genres = '', director = '', cast = '', minutes = '', resolution = 'sd'] =
      line.split('|')
    catalogue.put({
      ...movie(catalogue, { title, sectionKey, folder, year: Number(year), addedAt: oddDate(title, index) }),
      genres: genres.split(','),
      directors: [director],
      cast: cast.split(','),
      durationMs: Number(minutes) * 60_000,
      resolution: resolutionOf(resolution),
      rating: 5 + ((index * 7) % 50) / 10,
      summary: summary(title, director, genres.split(',')[0] ?? ''),
      ...watched(index),
    })
  }
}

type NewMovie = { title: string; sectionKey: string; folder: string; year: number; addedAt: number }

/** A movie with everything that can be made up from its title. */
export function movie(catalogue: Catalogue, { title, sectionKey, folder, year, addedAt }: NewMovie): Item {
  const ratingKey = catalogue.nextKey()
  const name = title.replaceAll(/[/:]/g, '') || 'untitled'
  const imdb = `tt${String(1_000_000 + (hash(title) % 8_000_000))}`
  return {
    ratingKey,
    kind: 'movie',
    sectionKey,
    title,
    year,
    addedAt,
    updatedAt: firstAdded + Number(ratingKey),
    guid: guidOf(title, imdb),
    externalIds: title ? [`imdb://${imdb}`, `tmdb://${hash(title) % 900_000}`] : [],
    originallyAvailableAt: `${year}-0${1 + (hash(title) % 9)}-14`,
    contentRating: 'PG',
    studio: 'Harbour Pictures',
    file: `${folder}/${name} (${year})/${name} (${year}).mkv`,
    fileSize: 700_000_000 + (hash(title) % 8_000_000_000),
    resolution: '1080',
    durationMs: 5_400_000,
    pictured: title !== '',
    ...sortTitle(title),
  }
}

/** Items whose only purpose is to be many. */
export function addFillerMovies(
  catalogue: Catalogue,
  sectionKey: string,
  folder: string,
  count: number,
): void {
  for (let i = 0; i < count; i += 1) {
    const title = `Filler ${i.toString().padStart(5, '0')}`
    const year = 1950 + (i % 75)
    const item = movie(catalogue, { title, sectionKey, folder, year, addedAt: firstAdded - i * 60 })
    catalogue.put({ ...item, genres: ['Filler'], cast: [`Extra ${i % 500}`] })
  }
}

export function sortTitle(title: string): { titleSort?: string } {
  const plain = title.replace(/^(The|A|An|Le) /, '')
  return plain === title ? {} : { titleSort: plain }
}

/** File dates give some items an added date in the future or none at all. */
function oddDate(title: string, index: number): number {
  if (title === '1917') return Date.UTC(2099, 11, 31) / 1000
  return title === 'M' ? 0 : firstAdded + index * day
}

function guidOf(title: string, imdb: string): string {
  if (!title) return `local://${hash('untitled')}`
  if (title.startsWith('The')) return `com.plexapp.agents.imdb://${imdb}?lang=en`
  return `plex://movie/5d7768${hash(title).toString(16).padStart(18, '0')}`
}

function summary(title: string, director: string, genre: string): string {
  if (title === 'Metropolis') return 'A city of two levels.\r\n\r\nAbove, the gardens; below, the machines.'
  return title ? `${genre}, directed by ${director}.` : ''
}

function resolutionOf(text: string): NonNullable<Item['resolution']> {
  return text === '4k' || text === '1080' || text === '720' ? text : 'sd'
}

function watched(index: number): Partial<Item> {
  if (index % 6 === 0) return { viewCount: 1 + (index % 3), lastViewedAt: firstAdded + (index + 5) * day }
  return index % 17 === 5 ? { viewOffset: 600_000, lastViewedAt: firstAdded + (index + 9) * day } : {}
}
