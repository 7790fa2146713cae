import { escapeMarkup } from "../../base/escape-markup.ts"
import type { GitopsStatus } from "../../gitops/gitops.ts"
import { listenHttp } from "../../sys/net/http-server.ts"

const HEADERS = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
}

/** Serves `/` and `/status.json`, and nothing that changes anything. Throws errno errors: EADDRINUSE. */
export function serveStatus(
  { hostname, port }: { hostname: string; port: number },
  read: () => GitopsStatus,
): AsyncDisposable & { url: string } {
  const server = listenHttp({
    hostname,
    port,
    idleSeconds: 30,
    answer: async (request) => answer(request, read),
  })
  const host = hostname.includes(":") ? `[${hostname}]` : hostname
  return { url: `http://${host}:${server.port}/`, [Symbol.asyncDispose]: () => server.stop() }
}

function answer(request: Request, read: () => GitopsStatus): Response {
  const { hostname, pathname } = new URL(request.url)
  // a name that somebody else's DNS leads here (DNS rebinding)
  if (!/^(?:127(?:\.\d+){3}|localhost|\[::1\])$/.test(hostname)) return new Response("not this host\n", { status: 421 })
  if (request.method !== "GET" && request.method !== "HEAD")
    return new Response("only GET\n", { status: 405, headers: { allow: "GET, HEAD" } })
  if (pathname === "/status.json")
    return new Response(`${JSON.stringify(read(), null, 2)}\n`, {
      headers: { ...HEADERS, "content-type": "application/json" },
    })
  if (pathname !== "/") return new Response("not found\n", { status: 404 })
  return new Response(page(read()), { headers: { ...HEADERS, "content-type": "text/html; charset=utf-8" } })
}

const STYLE = `body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #ddd;vertical-align:top}
code,pre{font-family:ui-monospace,monospace;font-size:.9em}pre{white-space:pre-wrap;background:#f5f5f5;padding:.8rem}
@media(prefers-color-scheme:dark){body{color:#eee;background:#161616}td,th{border-color:#444}pre{background:#262626}}`

function page(status: GitopsStatus): string {
  const e = escapeMarkup
  const { head, applied } = status
  const facts = [
    ["State", status.state],
    ["Repository", `${status.repository}, ${status.branch}${status.path === "" ? "" : `, ${status.path}`}`],
    ["Applied to", status.target],
    [
      "Newest commit",
      head === undefined ? "none yet" : `${head.commit.slice(0, 12)} ${head.subject} (${head.author}, ${head.time})`,
    ],
    ["Applied commit", applied === undefined ? "none yet" : `${applied.commit.slice(0, 12)} at ${applied.time}`],
    ["Put back", `${status.driftCorrected} times`],
    ["Last look", status.lastPass ?? "none yet"],
  ] as const
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="10">
<title>${e(status.name)}: ${status.state}</title><style>${STYLE}</style></head><body>
<h1>${e(status.name)}: ${status.state}</h1>
${status.message === undefined ? "" : `<pre role="alert">${e(status.message)}</pre>`}
<table><tbody>${facts.map(([key, value]) => `<tr><th scope="row">${key}</th><td>${e(value)}</td></tr>`).join("\n")}</tbody></table>
<h2>Events</h2>
<table><thead><tr><th scope="col">Time</th><th scope="col">Event</th><th scope="col">Commit</th><th scope="col">Message</th></tr></thead>
<tbody>${status.events.map((one) => `<tr><td>${one.time}</td><td>${one.reason}</td><td><code>${e((one.commit ?? "").slice(0, 12))}</code></td><td>${e(one.message)}</td></tr>`).join("\n")}</tbody></table>
<h2>Objects</h2>
<table><thead><tr><th scope="col">Namespace</th><th scope="col">Object</th></tr></thead>
<tbody>${status.objects.map(({ namespace, title }) => `<tr><td>${e(namespace)}</td><td>${e(title)}</td></tr>`).join("\n")}</tbody></table>
</body></html>
`
}
