import { expect, test } from "bun:test"
import { createServer as createHttp2, type ServerHttp2Stream } from "node:http2"
import { mkdirSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { BackOffs } from "./back-offs.ts"
import { dialFromHost } from "./dial.ts"
import { checkGrpc } from "./grpc-probe.ts"
import { getHttp } from "./http-probe.ts"
import type { Image, Images } from "../../../image/image.ts"
import { tempDirectory } from "../../../../test/support/temp-directory.ts"
import { credentialsFor, ImagePuller, pullPolicyOf } from "./image-puller.ts"
import { PulledImages } from "./pulled-images.ts"

test("a back-off doubles up to five minutes, and is forgotten after ten", () => {
  const backOffs = new BackOffs()
  expect(backOffs.delayOf("a", 0, 0)).toBeUndefined()
  const delays = Array.from({ length: 7 }, (_, at) => {
    backOffs.count("a", at)
    return backOffs.delayOf("a", at, at)?.delayMs
  })
  expect(delays).toEqual([10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000])
  expect(backOffs.delayOf("a", 600_100, 600_100)).toBeUndefined()
  const restored = new BackOffs()
  restored.restore("a", 3, 0)
  expect(restored.delayOf("a", 0, 0)?.delayMs).toBe(40_000)
})

test.each([
  ["web", undefined, "Always"],
  ["web:latest", undefined, "Always"],
  ["localhost:5000/web", undefined, "Always"],
  ["web:1", undefined, "IfNotPresent"],
  ["web@sha256:0", undefined, "IfNotPresent"],
  ["web", "Never", "Never"],
])("%s with %p is pulled %s", (image, policy, expected) => expect(pullPolicyOf(image, policy)).toBe(expected as never))

test("credentials are those of the image's registry", () => {
  const auth = Buffer.from("me:a:b").toString("base64")
  expect(credentialsFor("r.example/web:1", [secret({ "r.example": { auth } })])[0]).toEqual({
    username: "me",
    password: "a:b",
  })
  expect(
    credentialsFor("web", [secret({ "https://index.docker.io/v1/": { username: "u", password: "p" } })])[0],
  ).toEqual({
    username: "u",
    password: "p",
  })
  expect(
    credentialsFor("r.example/web", [secret({ "other.example": { auth } }), { data: { ".dockerconfigjson": "?" } }]),
  ).toEqual([])
})

const pullOf = (puller: ImagePuller) => (name: string, policy: "IfNotPresent" | "Never", username?: string) =>
  puller.have(name, policy, {
    who: username ?? "",
    secrets: username === undefined ? [] : [secret({ "r.example": { username, password: "p" } })],
    onPull: () => {},
  })

/** `ends`: when each pull is over; `shown`: the image is there before that. */
function pulls(ends: Readonly<Record<string, Promise<void>>>, shown = false): ImagePuller {
  const here = new Map<string, Image>()
  const images = {
    find: (name: string) => here.get(name),
    list: () => [...here.values()],
    async pull(name: string) {
      const image = { id: name } as unknown as Image
      if (shown) here.set(name, image)
      await ends[name]
      here.set(name, image)
      return { image }
    },
  } as unknown as Pick<Images, "find" | "list" | "pull">
  return new ImagePuller(images, tempDirectory("skiff-pulled-"))
}

test("what a pod's secret has brought is not for all because another image came at the same time", async () => {
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const have = pullOf(pulls({ "r.example/first:1": first.promise, "r.example/second:1": second.promise }))
  const both = [have("r.example/first:1", "IfNotPresent", "a"), have("r.example/second:1", "IfNotPresent", "b")]
  // both have begun before either is there
  await Bun.sleep(0)
  first.resolve()
  expect(await both[0]).toMatchObject({ was: "pulled" })
  second.resolve()
  expect(await both[1]).toMatchObject({ was: "pulled" })
  expect(await have("r.example/first:1", "Never")).toMatchObject({ reason: "ErrImageNeverPull" })
  expect(await have("r.example/first:1", "Never", "a")).toMatchObject({ was: "here" })
})

test("what a pod's secret brings is not for all before that is written down, nor when it cannot be read", async () => {
  const end = Promise.withResolvers<void>()
  const have = pullOf(pulls({ "r.example/first:1": end.promise }, true))
  const pulling = have("r.example/first:1", "IfNotPresent", "a")
  await Bun.sleep(0)
  expect(await have("r.example/first:1", "Never")).toMatchObject({ reason: "ErrImageNeverPull" })
  end.resolve()
  expect(await pulling).toMatchObject({ was: "pulled" })
  const directory = tempDirectory("skiff-pulled-")
  mkdirSync(join(directory, "pulled-images.json"))
  expect(() => new PulledImages(directory).mayUse("sha256:0", [])).toThrow("EISDIR")
})

test("a request has the headers that were asked for, and no more of the answer is read than its status", async () => {
  const seen: unknown[] = []
  const server = createServer(({ headers, url }, response) => {
    seen.push(headers["x-who"], headers.host, url)
    response.writeHead(url === "/ok" ? 204 : 500).end()
  }).listen(0, "127.0.0.1")
  await new Promise((resolve) => server.once("listening", resolve))
  const { port } = server.address() as AddressInfo
  const target = { address: "127.0.0.1", dial: dialFromHost }
  const get = {
    scheme: "http" as const,
    port,
    path: "/ok",
    headers: [
      { name: "X-Who", value: "me" },
      { name: "bad", value: "a\r\nb: c" },
    ],
  }
  expect(await getHttp(target, get, AbortSignal.timeout(2_000))).toEqual({ isOk: true, output: "" })
  expect(seen).toEqual(["me", `127.0.0.1:${port}`, "/ok"])
  const failed = await getHttp(target, { ...get, path: "/no" }, AbortSignal.timeout(2_000))
  server.close()
  expect(failed).toEqual({ isOk: false, output: "HTTP probe failed with statuscode: 500" })
})

test("gRPC's health is asked for by the name of the service", async () => {
  const server = createHttp2()
  server.on("stream", (stream: ServerHttp2Stream) => {
    const chunks: Buffer[] = []
    stream.on("data", (chunk: Buffer) => chunks.push(chunk))
    stream.on("end", () => {
      const name = Buffer.concat(chunks).subarray(7).toString()
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true })
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }))
      stream.end(Buffer.from([0, 0, 0, 0, 2, 0x08, name === "well" ? 1 : 2]))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  const target = { address: "127.0.0.1", dial: dialFromHost }
  try {
    expect(await checkGrpc(target, { port, service: "well" }, AbortSignal.timeout(2_000))).toEqual({
      isOk: true,
      output: "",
    })
    expect((await checkGrpc(target, { port, service: "ill" }, AbortSignal.timeout(2_000))).isOk).toBe(false)
  } finally {
    server.close()
  }
})

const secret = (auths: object) => ({
  data: { ".dockerconfigjson": Buffer.from(JSON.stringify({ auths })).toString("base64") },
})
