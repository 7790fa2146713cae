import { expect, test } from "bun:test"
import { parseEndpoint } from "./endpoint.ts"
import { engineWords } from "./engine-words.ts"

test.each([
  ["app:1", { kind: "here", image: "app:1" }],
  ["host::", { kind: "host", destination: "host", port: undefined, image: "" }],
  [
    "host::docker.io/library/app:1",
    { kind: "host", destination: "host", port: undefined, image: "docker.io/library/app:1" },
  ],
  ["anna@host.example:2222::app", { kind: "host", destination: "anna@host.example", port: "2222", image: "app" }],
  ["ssh://anna@host::app", { kind: "host", destination: "anna@host", port: undefined, image: "app" }],
  ["[::1]:22::app", { kind: "host", destination: "::1", port: "22", image: "app" }],
  ["anna@localhost::app", { kind: "user", user: "anna", image: "app" }],
  ["localhost::app", { kind: "host", destination: "localhost", port: undefined, image: "app" }],
])("%s is an end", (text, expected) => expect(parseEndpoint(text)).toEqual(expected as never))

test.each([
  "-oProxyCommand=touch /tmp/x::app",
  "anna@-oProxyCommand=x::app",
  "host;reboot::app",
  "host::app;reboot",
  "host::'$(reboot)'",
  "host::-o/etc/passwd",
  "--output=x",
  "::app",
  "host:/run/podman.sock::app",
  "a b::app",
  "host::app\nreboot",
])("%j is refused before any program sees it", (text) => expect(() => parseEndpoint(text)).toThrow("invalid"))

test("a host is asked by one word of its shell, behind the end of ssh's flags", () => {
  const words = engineWords(parseEndpoint("anna@host:2222::app"), ["save", "app"], {
    own: ["skiff"],
    program: "podman",
  })
  expect(words.slice(1)).toEqual([
    "-p",
    "2222",
    "--",
    "anna@host",
    `sh -c 'for p in podman; do command -v "$p" >/dev/null 2>&1 && exec "$p" save app; done; echo "not installed: podman" >&2; exit 127'`,
  ])
})
