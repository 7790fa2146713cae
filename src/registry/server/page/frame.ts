/** What all pages have around their content, and the headers they come with. */
import { createHash } from "node:crypto"
import { Html, html, type Content } from "./html.ts"
import { SCRIPT } from "./script.ts"
import { STYLE } from "./style.ts"

/** A page. */
export interface Page {
  title: string
  content: Content
  status?: number
  headers?: Readonly<Record<string, string>>
  /** Undefined: nobody in particular. */
  user?: string | undefined
  /** There are users: who is nobody may log in. */
  hasUsers?: boolean
}

const hashOf = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`

/** Nothing is loaded from anywhere, and only this very style and script are heard: markup that got in would be without means. */
const POLICY = [
  "default-src 'none'",
  `style-src ${hashOf(STYLE)}`,
  `script-src ${hashOf(SCRIPT)}`,
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ")

// the policy knows their very bytes: no formatter may touch what stands between their tags
const STYLE_ELEMENT = new Html(`<style>${STYLE}</style>`)
const SCRIPT_ELEMENT = new Html(`<script>${SCRIPT}</script>`)

const HEADERS: Readonly<Record<string, string>> = {
  "Content-Type": "text/html; charset=utf-8",
  "Content-Security-Policy": POLICY,
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  // what is shown depends on who looks
  "Cache-Control": "no-store",
}

/** The page as an answer; of HEAD without it. */
export function pageAnswer(request: Request, page: Page): Response {
  const text = document(page).toString()
  const headers = { ...HEADERS, "Content-Length": String(Buffer.byteLength(text)), ...page.headers }
  return new Response(request.method === "HEAD" ? null : text, { status: page.status ?? 200, headers })
}

function document({ title, content, user, hasUsers = false }: Page): Html {
  const who =
    user === undefined ? hasUsers && html`<a href="/?login=1">Log in</a>` : html`<span><bdi>${user}</bdi></span>`
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        <link rel="icon" href="data:," />
        ${STYLE_ELEMENT}
      </head>
      <body>
        <header><a href="/">Registry</a>${who === false ? undefined : who}</header>
        <main>${content}</main>
        ${SCRIPT_ELEMENT}
      </body>
    </html>`
}
