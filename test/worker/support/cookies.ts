export type Cookie = { readonly value: string; readonly attributes: readonly string[] }

/** What a response sets, by name; a cookie that is taken away has the attribute `Max-Age=0`. */
export function cookiesOf(response: Response): Readonly<Record<string, Cookie>> {
  return Object.fromEntries(
    response.headers.getSetCookie().map((line) => {
      const [pair = '', ...attributes] = line.split('; ')
      const [name = '', value = ''] = pair.split('=', 2)
      return [name, { value, attributes: attributes.filter((each) => !each.startsWith('Expires=')) }]
    }),
  )
}

/** As a browser sends them back. */
export const cookieHeader = (cookies: Readonly<Record<string, Cookie>>) => ({
  cookie: Object.entries(cookies)
    .map(([name, { value }]) => `${name}=${value}`)
    .join('; '),
})
