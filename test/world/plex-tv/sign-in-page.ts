import type { Account } from './state.ts'

export type SignInPage = { readonly html: string; readonly contentSecurityPolicy: string }

/**
 * The page a person is sent to with a PIN. Its parameters come behind the `#`, where only a script sees them.
 * Choosing an account claims the PIN and returns the person to `forwardUrl`.
 */
export function signInPage(accounts: readonly Account[], nonce: string): SignInPage {
  const buttons = accounts.map(accountButton).join('\n')
  return {
    contentSecurityPolicy: `default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'`,
    html: `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in · demo plex.tv</title>
<style nonce="${nonce}">${style}</style>
</head>
<body>
<main>
<p class="badge">Demo — this is not plex.tv</p>
<h1>Sign in to <span id="product">an app</span></h1>
<p id="lead">Choose who you want to be. No password is asked for.</p>
<div id="accounts">
${buttons}
</div>
<p id="status" role="status" aria-live="polite"></p>
<noscript><p>This page needs JavaScript to read which app is asking.</p></noscript>
</main>
<script nonce="${nonce}">${script}</script>
</body>
</html>
`,
  }
}

function accountButton({ username, title, share }: Account): string {
  const role = share
    ? share.owner
      ? 'Owns the server'
      : `Friend · ${share.sections.length} libraries shared`
    : 'No access to the server'
  return `<button type="button" data-username="${escapeHtml(username)}">
<span class="face" aria-hidden="true">${escapeHtml(title.slice(0, 1))}</span>
<span><strong>${escapeHtml(title)}</strong><small>${escapeHtml(username)} · ${role}</small></span>
</button>`
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

const style = `
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: light-dark(#f4f4f6, #16181d); }
main { width: min(26rem, calc(100vw - 2rem)); box-sizing: border-box; padding: 1.5rem; border-radius: 1rem;
  background: light-dark(#fff, #22252c); box-shadow: 0 .5rem 2rem #0002; }
h1 { font-size: 1.4rem; line-height: 1.25; margin: .5rem 0; overflow-wrap: anywhere; }
.badge { display: inline-block; margin: 0; padding: .1rem .6rem; border-radius: 1rem; font-size: .8rem;
  background: #e5a00d; color: #201600; }
#accounts { display: grid; gap: .6rem; }
button { display: flex; gap: .8rem; align-items: center; width: 100%; min-height: 3.5rem; padding: .6rem .8rem; text-align: left;
  font: inherit; color: inherit; background: transparent; border: 1px solid light-dark(#ccc, #454a55); border-radius: .7rem;
  cursor: pointer; }
button:hover, button:focus-visible { border-color: #e5a00d; outline: 2px solid #e5a00d; }
button:disabled { opacity: .5; cursor: default; }
.face { flex: none; display: grid; place-items: center; width: 2.4rem; height: 2.4rem; border-radius: 50%;
  background: #e5a00d; color: #201600; font-weight: 700; }
small { display: block; opacity: .75; }
#status { min-height: 1.5rem; margin: 1rem 0 0; }
#status.bad { color: light-dark(#b3261e, #ff8f86); }
`

const script = `
const query = location.hash.includes('?') ? location.hash.slice(location.hash.indexOf('?') + 1) : location.search.slice(1)
const asked = new URLSearchParams(query)
const code = asked.get('code')
const forwardUrl = asked.get('forwardUrl')
const buttons = [...document.querySelectorAll('button[data-username]')]
const say = (text, bad) => {
  const status = document.getElementById('status')
  status.textContent = text
  status.className = bad ? 'bad' : ''
}
document.getElementById('product').textContent = asked.get('context[device][product]') || asked.get('clientID') || 'an app'
const enable = (on) => { for (const button of buttons) button.disabled = !on }
if (!code) { enable(false); say('The app sent no code: go back to it and start signing in again.', true) }
const forward = () => {
  if (forwardUrl && /^https?:/i.test(forwardUrl)) { location.href = forwardUrl; return }
  say('You are signed in. You may close this page and return to the app.')
}
for (const button of buttons) button.addEventListener('click', async () => {
  enable(false)
  say('Signing in…')
  try {
    const answer = await fetch('/auth/claim', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ code, username: button.dataset.username }),
    })
    if (answer.ok) return forward()
    say('This code is not known, or it has expired: go back to the app and start again.', true)
  } catch {
    say('That did not work. Try once more.', true)
  }
  enable(true)
})
`
