/** A gRPC server of busybox alone: to whoever asks for its health, it says that it serves. */
const frame = (type: number, flags: number, payload: number[]): number[] => {
  const stream = type === SETTINGS ? 0 : 1
  return [0, payload.length >> 8, payload.length & 0xff, type, flags, 0, 0, 0, stream, ...payload]
}
const text = (words: string): number[] => [words.length, ...Buffer.from(words)]

const [DATA, HEADERS, SETTINGS] = [0, 1, 4]
const [END_STREAM, END_HEADERS] = [1, 4]
/** HPACK (RFC 7541): `:status: 200` by its index, `content-type` by the index of its name, `grpc-status` by both as they are. */
const head = [0x88, 0x0f, 0x10, ...text("application/grpc")]
const trailers = [0x00, ...text("grpc-status"), ...text("0")]
/** One message, uncompressed, of two bytes: `status: SERVING`. */
const serving = [0, 0, 0, 0, 2, 0x08, 0x01]

const printed = (bytes: number[]): string =>
  `printf '${bytes.map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("")}'`

const answer = [
  ...frame(HEADERS, END_HEADERS, head),
  ...frame(DATA, 0, serving),
  ...frame(HEADERS, END_HEADERS | END_STREAM, trailers),
]

/** Words of a shell. It reads the client's preface, and gives the request that comes with it a moment. */
export const serveGrpcHealth = (port: number): string =>
  `echo "#!/bin/sh
head -c 24 > /dev/null; ${printed(frame(SETTINGS, 0, []))}; sleep 0.3; ${printed(answer)}; sleep 1" > /tmp/answer; chmod +x /tmp/answer; trap 'exit 0' TERM; while :; do nc -l -p ${port} -e /tmp/answer; done`
