import { throwIfAborted } from "../../base/cancel.ts"
import type { Prober, ProberOptions, ProbeResult } from "../runtime.ts"
import { ResidentShell } from "./resident-shell.ts"
import { probeOnce } from "./single-probe.ts"

/** See `Runtimes.openProber`. */
export function openProber(options: ProberOptions): Prober {
  let shell: ResidentShell | undefined
  let mayStay = options.resident
  const { program } = options
  const words = "text" in program ? ["/bin/sh", "-c", program.text] : program.words
  return {
    async run({ timeoutMs, signal }): Promise<ProbeResult> {
      throwIfAborted(signal, "the health check")
      if (mayStay && !shell?.isOpen) {
        shell?.[Symbol.dispose]()
        shell = await ResidentShell.open(options)
        mayStay = shell !== undefined
      }
      const result = await shell?.run(timeoutMs, options.maxOutputBytes)
      // somebody in the container has ended it: this once without
      return result ?? probeOnce(options, words, timeoutMs)
    },
    [Symbol.dispose]() {
      shell?.[Symbol.dispose]()
      mayStay = false
    },
  }
}
