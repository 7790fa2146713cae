import { standardInput } from "../sys/terminal/standard-input.ts"
import type { Out } from "./out.ts"

/** Asks as docker does: only `y` or `yes` is consent; without an answer nothing is done. */
export async function confirm(warning: string, out: Out): Promise<boolean> {
  return asker(out)(`WARNING! ${warning}\nAre you sure you want to continue?`)
}

/** Asks one question after another: each answer is a line of standard input. */
export function asker(out: Out): (question: string) => Promise<boolean> {
  const input = standardInput()
  let read = ""
  return async (question) => {
    out.text(`${question} [y/N] `)
    while (!read.includes("\n")) {
      const { value, done } = await input.next()
      if (done === true) break
      read += Buffer.from(value).toString()
    }
    const [answer = ""] = read.split("\n")
    read = read.slice(answer.length + 1)
    return /^y(?:es)?\s*$/i.test(answer)
  }
}
