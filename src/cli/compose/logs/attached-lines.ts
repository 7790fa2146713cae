import { isSkiffError } from "../../../base/errors.ts"
import type { Containers } from "../../../container/container.ts"
import type { ShownLine } from "./shown-line.ts"

const NEWLINE = 0x0a

/** What a running container writes from now on, by its streams; none of one that has ended. */
export async function* attachedLines(containers: Containers, id: string): AsyncGenerator<ShownLine[]> {
  const started = await containers.attach(id, { stdin: false }).catch((error: unknown) => {
    if (isSkiffError(error)) return undefined
    throw error
  })
  if (started?.attachment === undefined) return
  using attachment = started.attachment
  const rests: Record<ShownLine["stream"], Buffer> = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) }
  const { readable, writable } = new TransformStream<ShownLine[], ShownLine[]>()
  const writer = writable.getWriter()
  attachment.onOutput(async (stream, chunk) => {
    const bytes = Buffer.concat([rests[stream], chunk])
    const end = bytes.lastIndexOf(NEWLINE)
    rests[stream] = bytes.subarray(end + 1)
    if (end >= 0) await writer.write(linesOf(stream, bytes.subarray(0, end)))
  })
  const close = async (): Promise<void> => {
    await attachment.closed
    for (const stream of ["stdout", "stderr"] as const)
      if (rests[stream].length > 0) await writer.write(linesOf(stream, rests[stream]))
    await writer.close()
    started.release()
  }
  // what fails here fails in `readable` as well
  close().catch(() => {})
  for await (const lines of readable) yield lines
}

function linesOf(stream: ShownLine["stream"], bytes: Buffer): ShownLine[] {
  const time = new Date().toISOString().replace("Z", "000000Z")
  const lines: ShownLine[] = []
  let start = 0
  for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
    lines.push({ time, stream, bytes: bytes.subarray(start, end) })
    start = end + 1
  }
  return [...lines, { time, stream, bytes: bytes.subarray(start) }]
}
