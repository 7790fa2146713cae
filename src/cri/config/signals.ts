import type { Signal } from "../protocol/messages.ts"

/** As signal(7) names it: `SIGRTMIN+3`. Undefined: the image's, else SIGTERM. Pure. */
export function signalOf(signal: Signal): string | undefined {
  return signal === "RUNTIME_DEFAULT" ? undefined : signal.replace("PLUS", "+").replace("MINUS", "-")
}

/** The reverse, of a name that the engine wrote down. Pure. */
export function toSignal(name: string): Signal {
  return name.replace("+", "PLUS").replace(/-(?=\d)/, "MINUS") as Signal
}
