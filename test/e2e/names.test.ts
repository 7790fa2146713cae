/** Names of containers: who is known on which network, and what is asked of others. */
import { afterEach, describe, expect, test } from "bun:test"
import {
  ask,
  askBadly,
  askFrom,
  askMeanwhile,
  changeNames,
  killResolver,
  pidOf,
  resolversOf,
  serveNamesIn,
} from "../support/resolver.ts"
import { NameServer, ownLoopback } from "../support/name-server.ts"
import { openStore, testUnless } from "../support/store.ts"
import { supervisorsOf } from "../support/supervisor.ts"
import { eventually } from "../support/wait.ts"

const skiff = openStore()

const made: string[] = []

afterEach(async () => {
  const ids = (await skiff.ok("ps", "-aq")).split("\n").filter(Boolean)
  if (ids.length > 0) await skiff.ok("rm", "-f", ...ids)
  for (const name of made.splice(0)) await skiff.ok("network", "rm", name)
})

async function make(name: string, ...flags: string[]): Promise<void> {
  await skiff.ok("network", "create", ...flags, name)
  made.push(name)
}

const sleeper = (name: string, network: string, ...flags: string[]) =>
  skiff.ok("run", "-d", "--name", name, "--network", network, ...flags, "busybox", "sleep", "1000")
const addressOn = async (name: string, network: string): Promise<string> =>
  (await skiff.ok("inspect", "-f", `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`, name)).trim()
const gatewayOf = async (network: string): Promise<string> =>
  await skiff.ok("network", "inspect", "-f", "{{(index .IPAM.Config 0).Gateway}}", network)
const [ONE, TWO] = [ownLoopback(0), ownLoopback(1)]
const NO_SUCH_NAME = { code: 3, records: [] }

describe("on a network of a user's", () => {
  test("containers find each other by name, hostname and short id, in a program's own way", async () => {
    await make("blue")
    const id = await sleeper("db", "blue", "--hostname", "database")
    await sleeper("web", "blue")
    const address = await addressOn("db", "blue")
    for (const name of ["db", "DB", "database", id.slice(0, 12), "db.blue", "db.dns.podman"])
      expect(await skiff.ok("exec", "web", "nslookup", name)).toContain(`Address: ${address}`)
    const conf = await skiff.ok("exec", "web", "cat", "/etc/resolv.conf")
    expect(conf).toMatch(new RegExp(`^nameserver ${await gatewayOf("blue")}$`, "m"))
    expect(conf).toMatch(/^options .*ndots:0/m)
    expect(conf.match(/^nameserver/gm)?.length).toBe(1)
  })

  test("the first thing that a container does may be to ask", async () => {
    await make("blue")
    await sleeper("db", "blue")
    for (let count = 0; count < 5; count++)
      expect(await skiff.ok("run", "--rm", "--network", "blue", "busybox", "nslookup", "db")).toContain(
        await addressOn("db", "blue"),
      )
  })

  test("questions of every kind are answered, by UDP and TCP", async () => {
    await make("blue")
    await sleeper("db", "blue", "-p", "127.0.0.1::80")
    await sleeper("web", "blue")
    const address = await addressOn("db", "blue")
    const reverse = `${address.split(".").toReversed().join(".")}.in-addr.arpa`
    for (const tcp of [false, true]) {
      const answers = await ask(
        skiff,
        "web",
        await gatewayOf("blue"),
        { name: "db", tcp },
        { name: "db", type: "AAAA", tcp },
        { name: "db", type: "TXT", tcp },
        { name: reverse, type: "PTR", tcp },
        { name: "_http._tcp.db", type: "SRV", tcp },
        { name: "nobody", tcp },
      )
      expect(answers).toMatchObject([
        { code: 0, records: [address] },
        { code: 0, records: [expect.stringMatching(/^fd[0-9a-f]{30}$/)] },
        { code: 0, records: [] },
        { code: 0, records: ["db.blue"] },
        { code: 0, records: ["0 0 80 db.blue"] },
        NO_SUCH_NAME,
      ])
    }
  })

  test("a container that has gone is not known any more, one that comes is at once", async () => {
    await make("blue")
    await sleeper("web", "blue")
    const server = await gatewayOf("blue")
    for (let count = 0; count < 3; count++) {
      await sleeper("db", "blue")
      expect(await ask(skiff, "web", server, { name: "db" })).toMatchObject([
        { code: 0, records: [await addressOn("db", "blue")] },
      ])
      await skiff.ok("rm", "-f", "db")
      expect(await ask(skiff, "web", server, { name: "db" })).toMatchObject([NO_SUCH_NAME])
    }
  })
})

describe("of a container that changes its networks", () => {
  test("connected and disconnected, it is known, and asks, where it is at that moment", async () => {
    await make("blue")
    await make("green")
    await sleeper("web", "bridge")
    await sleeper("db", "blue", "--network-alias", "store")
    await sleeper("cache", "green")
    const conf = () => skiff.ok("exec", "web", "cat", "/etc/resolv.conf")
    const before = await conf()
    const [blue, green] = [await gatewayOf("blue"), await gatewayOf("green")]
    await skiff.ok("network", "connect", "--alias", "front", "blue", "web")
    expect(await conf()).toContain(`nameserver ${blue}`)
    expect(await skiff.ok("exec", "web", "nslookup", "store")).toContain(await addressOn("db", "blue"))
    expect(await ask(skiff, "db", blue, { name: "front" })).toMatchObject([
      { records: [await addressOn("web", "blue")] },
    ])
    await skiff.ok("network", "connect", "green", "web")
    expect(await ask(skiff, "web", blue, { name: "cache" })).toMatchObject([
      { records: [await addressOn("cache", "green")] },
    ])
    await skiff.ok("network", "disconnect", "blue", "web")
    expect(await ask(skiff, "db", blue, { name: "front" }, { name: "web" })).toMatchObject([NO_SUCH_NAME, NO_SUCH_NAME])
    expect(await ask(skiff, "web", green, { name: "store" }, { name: "cache" })).toMatchObject([
      NO_SUCH_NAME,
      { code: 0 },
    ])
    await skiff.ok("network", "disconnect", "green", "web")
    expect(await conf()).toBe(before)
  })

  test("what the container has made of its resolv.conf stays", async () => {
    await make("blue")
    await sleeper("web", "bridge")
    await skiff.ok("exec", "web", "sh", "-c", "echo nameserver 192.0.2.1 > /etc/resolv.conf")
    await skiff.ok("network", "connect", "blue", "web")
    expect(await skiff.ok("exec", "web", "cat", "/etc/resolv.conf")).toBe("nameserver 192.0.2.1")
  })
})

describe("a pod", () => {
  test("is found by its name and by those of its containers that run", async () => {
    await make("blue")
    await skiff.ok("pod", "create", "--name", "shop", "--network", "blue")
    try {
      await skiff.ok("run", "-d", "--pod", "shop", "--name", "till", "busybox", "sleep", "1000")
      await sleeper("web", "blue")
      const server = await gatewayOf("blue")
      const [pod] = await ask(skiff, "web", server, { name: "shop" })
      expect(pod).toMatchObject({ code: 0 })
      expect(await ask(skiff, "web", server, { name: "till" })).toEqual([pod as never])
      expect(await skiff.ok("exec", "till", "nslookup", "web")).toContain(await addressOn("web", "blue"))
      await skiff.ok("stop", "-t", "0", "till")
      expect(await ask(skiff, "web", server, { name: "till" }, { name: "shop" })).toMatchObject([
        NO_SUCH_NAME,
        { code: 0 },
      ])
    } finally {
      await skiff.ok("pod", "rm", "-f", "shop")
    }
  })
})

describe("what is no name of a container's", () => {
  const unprivileged = process.getuid?.() !== 0 && "only root may listen on port 53"

  testUnless(unprivileged)(
    "is asked of the network's servers, or of the container's own, whatever loopback they are on",
    async () => {
      await using one = await NameServer.open(ONE, { "www.example.test": "192.0.2.1" })
      await using two = await NameServer.open(TWO, { "www.example.test": "192.0.2.2" })
      await make("blue", "--dns", ONE)
      await sleeper("web", "blue")
      await sleeper("choosy", "blue", "--dns", TWO)
      const server = await gatewayOf("blue")
      const question = { name: "www.Example.test" }
      expect(await ask(skiff, "web", server, question, { ...question, tcp: true })).toMatchObject([
        { code: 0, records: ["192.0.2.1"] },
        { code: 0, records: ["192.0.2.1"] },
      ])
      expect(await ask(skiff, "choosy", server, question, { name: "web" })).toMatchObject([
        { code: 0, records: ["192.0.2.2"] },
        { code: 0, records: [await addressOn("web", "blue")] },
      ])
      expect(await skiff.ok("exec", "choosy", "cat", "/etc/resolv.conf")).not.toContain(TWO)
      expect([one.asked.length, two.asked.length]).toEqual([2, 1])
      expect(await ask(skiff, "web", server, { name: "gone.example.test" })).toMatchObject([NO_SUCH_NAME])
    },
  )

  testUnless(unprivileged)("is asked of a server that is a container itself", async () => {
    await make("blue")
    await sleeper("names", "blue")
    const [address, server] = [await addressOn("names", "blue"), await gatewayOf("blue")]
    using _ = await serveNamesIn(skiff, "names", address, { "www.example.test": "192.0.2.7" })
    await sleeper("asker", "blue", "--dns", address)
    await eventually(async () => {
      const [answer] = await ask(skiff, "asker", server, { name: "www.example.test" })
      return typeof answer !== "string" && answer?.records[0] === "192.0.2.7"
    })
  })

  testUnless(unprivileged)(
    "does not leave an internal network, nor do addresses of ours and names without a dot leave any",
    async () => {
      await using outside = await NameServer.open(ONE, { "www.example.test": "192.0.2.1" })
      await make("inner", "--internal", "--ipv6=false", "--dns", ONE)
      await make("blue", "--dns", ONE)
      await sleeper("vault", "inner", "--dns", ONE)
      await sleeper("web", "blue")
      const [inner, blue] = [await gatewayOf("inner"), await gatewayOf("blue")]
      const reverse = `${(await addressOn("vault", "inner")).split(".").toReversed().join(".")}.in-addr.arpa`
      for (const tcp of [false, true])
        expect(
          await ask(
            skiff,
            "vault",
            inner,
            { name: "secret.example.test", tcp },
            { name: "vault", tcp },
            { name: "vault", type: "AAAA", tcp },
          ),
        ).toMatchObject([NO_SUCH_NAME, { code: 0 }, { code: 0, records: [] }])
      expect(await ask(skiff, "web", blue, { name: "vault" }, { name: reverse, type: "PTR" })).toMatchObject([
        NO_SUCH_NAME,
        NO_SUCH_NAME,
      ])
      expect(outside.asked).toEqual([])
    },
  )
})

describe("elsewhere", () => {
  test("on the default network, and where names are disabled, nobody is known and nobody answers", async () => {
    await eventually(() => resolversOf(skiff).length === 0)
    await make("mute", "--disable-dns")
    await sleeper("one", "bridge")
    await sleeper("two", "mute")
    for (const name of ["one", "two"])
      expect(await skiff.ok("exec", name, "cat", "/etc/resolv.conf")).not.toContain("ndots:0")
    expect(resolversOf(skiff)).toEqual([])
  })

  test("the resolver of another network does not answer, and names of another network are not known", async () => {
    await make("blue")
    await make("green")
    await sleeper("web", "blue")
    await sleeper("db", "green")
    const [server, other] = [await gatewayOf("blue"), await gatewayOf("green")]
    expect(await ask(skiff, "web", server, { name: "db" })).toMatchObject([NO_SUCH_NAME])
    const asked = [false, true].map((tcp) => ask(skiff, "web", other, { name: "db", tcp }))
    expect((await Promise.all(asked)).map(([answer]) => typeof answer)).toEqual(["string", "string"])
  }, 30_000)
})

describe("the resolver", () => {
  test("is one process for all networks, is not there before the first needs it, and ends after the last", async () => {
    await make("blue")
    await make("green")
    await eventually(() => resolversOf(skiff).length === 0)
    await Promise.all([sleeper("one", "blue"), sleeper("two", "green"), sleeper("three", "green")])
    await eventually(() => resolversOf(skiff).length === 1)
    await skiff.ok("rm", "-f", "one", "two", "three")
    await eventually(() => resolversOf(skiff).length === 0)
    await sleeper("one", "blue")
    expect(await ask(skiff, "one", await gatewayOf("blue"), { name: "one" })).toMatchObject([{ code: 0 }])
  }, 30_000)

  test("killed, it is brought back by the next command, on the same port", async () => {
    await make("blue")
    await sleeper("web", "blue")
    const server = await gatewayOf("blue")
    const pid = await pidOf(skiff, "web")
    expect(await skiff.ok("explain", "web")).toContain(`${server}:53`)
    expect((await skiff.run(["doctor"])).stdout).toMatch(/resolver .*process \d+ answers/)
    await killResolver(skiff)
    expect((await skiff.run(["doctor"])).stdout).toMatch(/resolver .*has ended/)
    expect(typeof (await askFrom(pid, server, { name: "web" }))[0]).toBe("string")
    await skiff.ok("ps")
    await eventually(async () => {
      const [answer] = await ask(skiff, "web", server, { name: "web" })
      return typeof answer !== "string" && answer?.code === 0
    })
    expect(resolversOf(skiff).length).toBe(1)
    await killResolver(skiff)
    // a start needs it, and waits for it
    expect(await skiff.ok("run", "--rm", "--network", "blue", "busybox", "nslookup", "web")).toContain(
      await addressOn("web", "blue"),
    )
  }, 30_000)

  test("killed, it is brought back by the supervisor, where there is one, without a command", async () => {
    await make("blue")
    await sleeper("web", "blue", "--health-cmd", "true", "--health-interval", "1s")
    const [pid, server] = [await pidOf(skiff, "web"), await gatewayOf("blue")]
    await eventually(() => supervisorsOf(skiff).length === 1)
    await killResolver(skiff)
    await eventually(async () => {
      const [answer] = await askFrom(pid, server, { name: "web" })
      return typeof answer !== "string" && answer?.code === 0
    })
  }, 30_000)

  test("what a hostile container sends neither ends it nor keeps it from its neighbours", async () => {
    await make("blue", "--dns", ownLoopback(2))
    await sleeper("evil", "blue")
    await sleeper("web", "blue")
    const server = await gatewayOf("blue")
    const [pid] = resolversOf(skiff)
    // as programs do, once more when there is no answer: among thousands of datagrams one may be lost
    const good = async (tcp: boolean) => {
      const question = { name: "evil", tcp }
      const [answer] = await ask(skiff, "web", server, question)
      return typeof answer === "string" ? ask(skiff, "web", server, question) : [answer]
    }
    for (const answers of await Promise.all([askBadly(skiff, "evil", server, 3_000), good(false), good(true)]))
      if (answers !== undefined) expect(answers).toMatchObject([{ code: 0 }])
    expect(await ask(skiff, "evil", server, { name: "web" }, { name: "web", tcp: true })).toMatchObject([
      { code: 0 },
      { code: 0 },
    ])
    expect(resolversOf(skiff)).toEqual([pid as number])
  }, 30_000)

  test("questions as fast as they can be asked during a thousand changes: each has its answer", async () => {
    await make("blue")
    await Promise.all(["one", "two", "three"].map((name) => sleeper(name, "blue")))
    const wanted = await Promise.all(
      ["one", "two", "three"].map(async (name) => `${name}=${await addressOn(name, "blue")}`),
    )
    const meanwhile = async (): Promise<void> => {
      const changes = changeNames(skiff, "blue", 1000, 5_000)
      await Promise.all([changes, comeAndGo(changes)])
    }
    const many = await askMeanwhile(skiff, "one", await gatewayOf("blue"), { count: 10_000, wanted, meanwhile })
    console.log(
      `${many.asked} questions in ${many.seconds.toFixed(1)} s, the longest wait ${many.longestMs.toFixed(0)} ms`,
    )
    expect(many.wrong).toEqual({})
  }, 300_000)
})

/** Real containers of the network, one after the other, until something is over. */
async function comeAndGo(until: Promise<unknown>): Promise<void> {
  const over = new AbortController()
  void until.finally(() => over.abort()).catch(() => {}) // whoever waits for it hears what went wrong
  do await skiff.ok("run", "--rm", "--network", "blue", "busybox", "true")
  while (!over.signal.aborted)
}
