/** Whose address a service sees that is reached by a published port, from another host and from this one. */
import { afterAll, afterEach, describe, expect } from "bun:test"
import { spawnSync } from "node:child_process"
import { openStore, testUnless } from "../support/store.ts"
import { user } from "../support/user.ts"
import { eventually } from "../support/wait.ts"

const ip = (...words: string[]) => spawnSync("ip", words)
const isAdministrator = process.getuid?.() === 0

/** A host beside this one, on a link of their own (RFC 5737); root's tests and an ordinary user's run at the same time. */
const [HOST, address] = user.rootless ? ["198.51.100.5", "198.51.100.6"] : ["198.51.100.1", "198.51.100.2"]
const OUTSIDE = { netns: `skiff-out-${process.pid}`, link: `so${process.pid}`.slice(0, 15), address }

// before the store looks at the host, and taken away after it has looked again
if (isAdministrator) {
  ip("netns", "add", OUTSIDE.netns)
  ip("link", "add", OUTSIDE.link, "type", "veth", "peer", "name", "eth0", "netns", OUTSIDE.netns)
  ip("addr", "add", `${HOST}/30`, "dev", OUTSIDE.link)
  ip("link", "set", OUTSIDE.link, "up")
  ip("-n", OUTSIDE.netns, "addr", "add", `${OUTSIDE.address}/30`, "dev", "eth0")
  ip("-n", OUTSIDE.netns, "link", "set", "eth0", "up")
}
const skiff = openStore()
afterAll(() => {
  if (isAdministrator) ip("netns", "del", OUTSIDE.netns)
})

const outside = (...words: string[]) => spawnSync("ip", ["netns", "exec", OUTSIDE.netns, ...words])

afterEach(async () => {
  const ids = (await skiff.ok("ps", "-aq")).split("\n").filter(Boolean)
  if (ids.length > 0) await skiff.ok("rm", "-f", ...ids)
})

/** A port that no test of another file takes from the kernel. */
const port = 21_000 + Math.floor(Math.random() * 9_000)
const tree = ["/usr", "/lib", "/lib64"].flatMap((path) => ["-v", `${path}:${path}:ro`])

/** Says to each caller who he is; who calls by TCP speaks first: pasta of Debian 12 tells a service of no other connection. */
async function startTeller(): Promise<void> {
  const tell = `
    use IO::Socket; use IO::Select;
    $t = IO::Socket::INET->new(LocalPort => 80, Proto => 'tcp', Listen => 9, ReuseAddr => 1);
    $u = IO::Socket::INET->new(LocalPort => 80, Proto => 'udp');
    $s = IO::Select->new($t, $u);
    for (;;) { for $r ($s->can_read) {
      if ($r == $t) { $c = $t->accept; $l = <$c>; print $c $c->peerhost; close $c }
      else { $u->recv($m, 99); $u->send($u->peerhost) } } }`
  const ports = ["-p", `${port}:80`, "-p", `${port}:80/udp`]
  await skiff.ok("run", "-d", "--name", "teller", ...ports, ...tree, "busybox", "/usr/bin/perl", "-e", tell)
}

const tcp = `use IO::Socket; $s = IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => ${port}, Timeout => 2) or exit 1; print $s "?\\n"; print <$s>`
const udp = `use IO::Socket; $SIG{ALRM} = sub { exit 1 }; alarm 2;
  $s = IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => ${port}, Proto => 'udp'); $s->send('?'); $s->recv($m, 99); print $m`

const asked = (run: (...words: string[]) => ReturnType<typeof outside>, script: string, to: string) =>
  eventually(() => {
    const { status, stdout } = run("perl", "-e", script, to)
    return status === 0 && stdout.length > 0 ? stdout.toString() : false
  })
const here = (program: string, ...words: string[]) => spawnSync(program, words)

describe("a published port", () => {
  const needsRoot = testUnless(!isAdministrator && "another host is made by root only")
  needsRoot("shows the address of a client on another host, by TCP and by UDP", async () => {
    await startTeller()
    expect(await asked(outside, tcp, HOST)).toBe(OUTSIDE.address)
    expect(await asked(outside, udp, HOST)).toBe(OUTSIDE.address)
  })

  needsRoot("shows this host's address to who comes by it, and never the container's own loopback", async () => {
    await startTeller()
    expect(await asked(here, tcp, HOST)).toBe(HOST)
    expect(await asked(here, udp, HOST)).toBe(HOST)
    const local = await asked(here, tcp, "127.0.0.1")
    expect(local).not.toBe("127.0.0.1")
    if (!user.rootless) expect(local).toMatch(/^(172|192)\./)
  })
})
