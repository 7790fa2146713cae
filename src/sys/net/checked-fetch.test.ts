import { expect, test } from "bun:test"
import { run } from "../process/process.ts"
import { addressKind, type AddressKind } from "./address-kind.ts"
import { checkedFetch } from "./checked-fetch.ts"
import { proxyFor } from "./proxy.ts"

test.each<[string, AddressKind]>([
  ["169.254.169.254", "metadata"],
  ["169.254.170.2", "metadata"],
  ["100.100.100.200", "metadata"],
  ["168.63.129.16", "metadata"],
  ["192.0.0.192", "metadata"],
  ["fd00:ec2::254", "metadata"],
  ["fd00:ec2::23", "metadata"],
  ["fd20:ce::254", "metadata"],
  ["fd00:42::42", "metadata"],
  ["fe80::a9fe:a9fe", "metadata"],
  ["febf::1", "metadata"],
  ["::ffff:169.254.169.254", "metadata"],
  ["::ffff:0:a9fe:a9fe", "metadata"],
  ["::169.254.169.254", "metadata"],
  ["64:ff9b::a9fe:a9fe", "metadata"],
  ["64:ff9b:1::100.100.100.200", "metadata"],
  ["2002:a9fe:a9fe::1", "metadata"],
  ["127.0.0.1", "loopback"],
  ["127.9.9.9", "loopback"],
  ["0.0.0.0", "loopback"],
  ["::1", "loopback"],
  ["::", "loopback"],
  ["::ffff:127.0.0.1", "loopback"],
  ["10.1.2.3", "private"],
  ["172.31.0.1", "private"],
  ["192.168.255.255", "private"],
  ["100.64.0.1", "private"],
  ["fd12::1", "private"],
  ["64:ff9b::10.0.0.1", "private"],
  ["172.32.0.1", "public"],
  ["100.128.0.1", "public"],
  ["169.253.255.255", "public"],
  ["168.63.129.17", "public"],
  ["2606:4700::1", "public"],
  ["64:ff9b::1.1.1.1", "public"],
  ["fec0::1", "private"],
])("%s is %s", (address, kind) => {
  expect(addressKind(address)).toBe(kind)
})

test.each([
  ["https://registry.example/", { HTTPS_PROXY: "http://p:1" }, "http://p:1"],
  ["https://registry.example/", { https_proxy: "p:1", HTTPS_PROXY: "http://q:1" }, "http://p:1"],
  ["http://registry.example/", { HTTPS_PROXY: "http://p:1" }, undefined],
  ["https://registry.example/", { HTTPS_PROXY: "" }, undefined],
  ["https://localhost:5000/", { HTTPS_PROXY: "http://p:1" }, undefined],
  ["https://127.0.0.2:5000/", { HTTPS_PROXY: "http://p:1" }, undefined],
  ["https://[::1]/", { HTTPS_PROXY: "http://p:1" }, undefined],
  ["https://a.example/", { HTTPS_PROXY: "http://p:1", NO_PROXY: "b, example" }, undefined],
  ["https://example/", { HTTPS_PROXY: "http://p:1", NO_PROXY: ".example" }, "http://p:1"],
  ["https://a.example/", { HTTPS_PROXY: "http://p:1", NO_PROXY: "*.example" }, undefined],
  ["https://an-example/", { HTTPS_PROXY: "http://p:1", NO_PROXY: "example" }, "http://p:1"],
  ["https://a.example:5000/", { HTTPS_PROXY: "http://p:1", NO_PROXY: "a.example:5000" }, undefined],
  ["https://a.example/", { HTTPS_PROXY: "http://p:1", NO_PROXY: "a.example:5000" }, "http://p:1"],
  ["https://10.1.2.3/", { HTTPS_PROXY: "http://p:1", NO_PROXY: "10.0.0.0/8" }, undefined],
  ["https://11.1.2.3/", { HTTPS_PROXY: "http://p:1", NO_PROXY: "10.0.0.0/8" }, "http://p:1"],
  ["https://a.example/", { HTTPS_PROXY: "http://p:1", NO_PROXY: "*" }, undefined],
])("%s goes by the proxy of %j", (url, env, proxy) => {
  expect(proxyFor(new URL(url), env)).toBe(proxy)
})

test.each(["http://169.254.169.254/", "http://2852039166/", "http://[::ffff:a9fe:a9fe]/", "http://0xa9.254.169.254/"])(
  "%s is refused however it is written",
  async (url) => {
    await expect(checkedFetch(new URL(url), {})).rejects.toMatchObject({ code: "PermissionDenied" })
  },
)

/**
 * In a network of its own: 169.254.169.254 is on the loopback with a server that counts, and the name server gives 127.0.0.1 and
 * that address in turn, valid for no time at all.
 */
const REBINDING = `
const [directory] = process.argv.slice(1)
const { checkedFetch } = await import(directory + "/checked-fetch.ts")
let [asked, secrets] = [0, 0]
await Bun.udpSocket({ hostname: "127.0.0.1", port: 53, socket: { data(socket, query, port, address) {
  let end = 12
  while (query[end] !== 0) end += query[end] + 1
  const question = query.subarray(12, end + 5)
  const isA = query[end + 2] === 1
  const answer = isA ? [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...(asked++ % 2 === 0 ? [127, 0, 0, 1] : [169, 254, 169, 254])] : []
  socket.send(Buffer.from([query[0], query[1], 0x81, 0x80, 0, 1, 0, isA ? 1 : 0, 0, 0, 0, 0, ...question, ...answer]), port, address)
} } })
Bun.serve({ hostname: "169.254.169.254", port: 8000, fetch: () => new Response(String(++secrets)) })
Bun.serve({ hostname: "127.0.0.1", port: 8000, fetch: (request) => new Response("good " + request.headers.get("host")) })
const results = []
for (let index = 0; index < 6; index++)
  try {
    const { response, reached } = await checkedFetch(new URL("http://n" + (index % 3) + ".rebinding.test:8000/"), {})
    results.push(await response.text() + " " + reached)
  } catch (error) {
    results.push(error.code)
  }
console.log(JSON.stringify({ results, secrets }))
process.exit(0)
`

const unshare = ["unshare", ...(process.getuid?.() === 0 ? [] : ["--map-root-user"]), "--net", "--mount"]
const canUnshare = Bun.spawnSync([...unshare, "true"]).success
if (!canUnshare) console.log("DNS rebinding test skipped: no namespaces may be made here")

test.skipIf(!canUnshare)(
  "a name that changes its address is connected to where it was looked at, or refused",
  async () => {
    const script = `set -e
    ip link set lo up; ip addr add 169.254.169.254/32 dev lo
    d=$(mktemp -d); echo nameserver 127.0.0.1 > $d/resolv; echo 'hosts: dns' > $d/nsswitch
    mount --bind $d/resolv /etc/resolv.conf; mount --bind $d/nsswitch /etc/nsswitch.conf
    exec "$@"`
    const { stdout, stderr } = await run([
      ...unshare,
      "sh",
      "-c",
      script,
      "sh",
      process.execPath,
      "-e",
      REBINDING,
      import.meta.dir,
    ])
    expect(stderr).toBe("")
    const { results, secrets } = JSON.parse(stdout) as { results: string[]; secrets: number }
    expect(secrets).toBe(0)
    expect(results).toContain("PermissionDenied")
    expect(results.filter((word) => word !== "PermissionDenied")).not.toEqual([])
    for (const word of results) expect(word).toMatch(/^PermissionDenied$|^good n\d\.rebinding\.test:8000 loopback$/)
  },
)
