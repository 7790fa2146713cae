/**
 * A client of the DNS, run as a program inside a container's network namespace:
 *
 *   ask-names.ts SERVER '[{"name": "web", "type": "A", "tcp": true}]'      each answer, as JSON
 *   ask-names.ts SERVER --hostile COUNT                                    bytes that are no question, and connections that stay
 *   ask-names.ts SERVER --many COUNT SECONDS NAME=ADDRESS…                 as many as it can, and what went wrong
 *   ask-names.ts SERVER --meanwhile COUNT NAME=ADDRESS…                    the same until its input ends, and no fewer than COUNT
 */
import { createSocket, type Socket } from "node:dgram"
import { connect } from "node:net"

const TYPES = { A: 1, NS: 2, PTR: 12, TXT: 16, AAAA: 28, SRV: 33 } as const
const PORT = 53
const TIMEOUT_MS = Number(process.env.ASK_TIMEOUT_MS ?? 3_000)
/** A busy machine is late with an answer, yet does not lose it: who counts lost ones waits for longer than it stands still. */
const PATIENCE_MS = 60_000
/** Questions of `--many` that are out at once. */
const WINDOW = Number(process.env.ASK_WINDOW ?? 64)

export interface Asked {
  name: string
  type?: keyof typeof TYPES
  tcp?: boolean
  /** What EDNS says of the longest datagram. */
  ednsBytes?: number
}

export interface Told {
  code: number
  truncated: boolean
  bytes: number
  /** `172.20.0.2`, `web.blue`, `0 0 80 web.blue`. */
  records: string[]
}

export interface Many {
  asked: number
  /** By what was wrong. */
  wrong: Record<string, number>
  seconds: number
  /** Of every thousandth question, in order; of each where only one is out. */
  waitsMs: number[]
  /** Of all. */
  longestMs: number
}

function question({ name, type = "A", ednsBytes }: Asked, id: number): Buffer {
  const labels = name.split(".").map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]))
  const header = Buffer.from([id >> 8, id & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, ednsBytes === undefined ? 0 : 1])
  const edns =
    ednsBytes === undefined ? [] : [Buffer.from([0, 0, 41, ednsBytes >> 8, ednsBytes & 255, 0, 0, 0, 0, 0, 0])]
  return Buffer.concat([header, ...labels, Buffer.from([0, 0, TYPES[type], 0, 1]), ...edns])
}

function nameAt(message: Buffer, start: number): { text: string; end: number } {
  const labels: string[] = []
  for (let at = start; ;) {
    const length = message.readUInt8(at)
    if (length === 0) return { text: labels.join("."), end: at + 1 }
    if (length >= 0xc0)
      return { text: [...labels, nameAt(message, message.readUInt16BE(at) & 0x3fff).text].join("."), end: at + 2 }
    labels.push(message.toString("latin1", at + 1, at + 1 + length))
    at += 1 + length
  }
}

function told(message: Buffer): Told {
  const flags = message.readUInt16BE(2)
  const records: string[] = []
  let at = nameAt(message, 12).end + 4
  for (let left = message.readUInt16BE(6); left > 0; left--) {
    const { end } = nameAt(message, at)
    const length = message.readUInt16BE(end + 8)
    records.push(textOf(message, message.readUInt16BE(end), end + 10))
    at = end + 10 + length
  }
  return { code: flags & 15, truncated: (flags & 0x200) !== 0, bytes: message.length, records }
}

function textOf(message: Buffer, type: number, at: number): string {
  if (type === TYPES.A) return [...message.subarray(at, at + 4)].join(".")
  if (type === TYPES.AAAA) return message.toString("hex", at, at + 16)
  if (type === TYPES.PTR) return nameAt(message, at).text
  if (type !== TYPES.SRV) return `type ${type}`
  const numbers = [0, 2, 4].map((offset) => message.readUInt16BE(at + offset))
  return `${numbers.join(" ")} ${nameAt(message, at + 6).text}`
}

async function byUdp(server: string, message: Buffer): Promise<Told> {
  const socket = createSocket("udp4")
  const { promise, resolve, reject } = Promise.withResolvers<Told>()
  const timer = setTimeout(() => reject(new Error("no answer")), TIMEOUT_MS)
  socket.on("message", (answer) => resolve(told(answer)))
  socket.send(message, PORT, server)
  return promise.finally(() => {
    clearTimeout(timer)
    socket.close()
  })
}

async function byTcp(server: string, message: Buffer): Promise<Told> {
  const socket = connect({ host: server, port: PORT })
  const { promise, resolve, reject } = Promise.withResolvers<Told>()
  let received = Buffer.alloc(0)
  const timer = setTimeout(() => reject(new Error("no answer")), TIMEOUT_MS)
  socket.on("error", reject)
  socket.on("data", (bytes: Buffer) => {
    received = Buffer.concat([received, bytes])
    if (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) resolve(told(received.subarray(2)))
  })
  socket.write(Buffer.concat([Buffer.from([message.length >> 8, message.length & 255]), message]))
  return promise.finally(() => {
    clearTimeout(timer)
    socket.destroy()
  })
}

/** `isOver` is asked before each question how many there were. */
async function askMany(
  server: string,
  wanted: readonly string[],
  isOver: (asked: number) => boolean,
  timeoutMs: number,
): Promise<Many> {
  const pairs = wanted.map((word) => word.split("=") as [string, string])
  const questions = pairs.map(([name]) => question({ name }, 0))
  const many: Many = { asked: 0, wrong: {}, seconds: 0, waitsMs: [], longestMs: 0 }
  const begun = performance.now()
  const note = (what: string): void => void (many.wrong[what] = (many.wrong[what] ?? 0) + 1)
  const one = (id: number): Promise<void> =>
    new Promise((done) => {
      const socket: Socket = createSocket("udp4")
      let [which, sentAt] = [0, 0]
      let timer: NodeJS.Timeout | undefined
      const next = (): void => {
        clearTimeout(timer)
        if (isOver(many.asked)) {
          socket.close()
          return done()
        }
        which = many.asked++ % questions.length
        const message = questions[which] ?? Buffer.alloc(0)
        message.writeUInt16BE(id, 0)
        sentAt = performance.now()
        timer = setTimeout(() => {
          note(`no answer about ${pairs[which]?.[0]}`)
          next()
        }, timeoutMs)
        socket.send(message)
      }
      socket.on("error", (error) => {
        note(String(error))
        next()
      })
      socket.on("message", (answer) => {
        const { code, records } = told(answer)
        const [name, address] = pairs[which] ?? []
        if (code !== 0 || records[0] !== address) note(`${name}: code ${code} ${records.join()}`)
        const waitedMs = performance.now() - sentAt
        many.longestMs = Math.max(many.longestMs, waitedMs)
        if (WINDOW === 1 || many.asked % 1000 === 0) many.waitsMs.push(waitedMs)
        next()
      })
      socket.connect(PORT, server, next)
    })
  await Promise.all(Array.from({ length: WINDOW }, (_, id) => one(id + 1)))
  many.seconds = (performance.now() - begun) / 1000
  return many
}

const random = (below: number): number => Math.floor(Math.random() * below)

/** Questions with bytes changed and cut off, responses, pointers in a circle; and many connections that say half of something. */
async function beHostile(server: string, count: number): Promise<void> {
  const socket = createSocket("udp4")
  const whole = question({ name: "web.example.test", ednsBytes: 4096 }, 1)
  for (let index = 0; index < count; index++) {
    const message = Buffer.from(whole)
    for (let change = random(6); change >= 0; change--) message[random(message.length)] = random(256)
    if (index % 7 === 0) message.set([0xc0, 12], 12)
    const { promise, resolve } = Promise.withResolvers<void>()
    socket.send(message.subarray(0, index % 3 === 0 ? random(message.length + 1) : message.length), PORT, server, () =>
      resolve(),
    )
    await promise
  }
  socket.close()
  const streams = Array.from({ length: 100 }, () => {
    const stream = connect({ host: server, port: PORT })
    stream.on("error", () => {})
    stream.write(Buffer.from([0xff, 0xff, 1, 2, 3]))
    return stream
  })
  // what each has sent has arrived when the next question is answered; one may be lost among so many
  for (let tries = 0; tries < 5; tries++)
    if ((await byUdp(server, question({ name: "web" }, 2)).catch(() => undefined)) !== undefined) break
  for (const stream of streams) stream.destroy()
}

if (import.meta.main) {
  const [server = "", what = "", ...rest] = process.argv.slice(2)
  if (what === "--many") {
    const [count, seconds, ...wanted] = rest
    const until = performance.now() + Number(seconds) * 1000
    const isOver = (asked: number) => asked >= Number(count) || performance.now() > until
    console.log(JSON.stringify(await askMany(server, wanted, isOver, TIMEOUT_MS)))
  } else if (what === "--meanwhile") {
    const [count, ...wanted] = rest
    let hasEnded = false
    process.stdin.on("end", () => (hasEnded = true)).resume()
    const isOver = (asked: number) => hasEnded && asked >= Number(count)
    console.log(JSON.stringify(await askMany(server, wanted, isOver, PATIENCE_MS)))
  } else if (what === "--hostile") {
    await beHostile(server, Number(rest[0]))
  } else {
    const answers: (Told | string)[] = []
    for (const [index, asked] of (JSON.parse(what) as Asked[]).entries()) {
      const message = question(asked, index + 1)
      answers.push(await (asked.tcp ? byTcp(server, message) : byUdp(server, message)).catch(String))
    }
    console.log(JSON.stringify(answers))
  }
}
