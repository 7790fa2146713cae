import { Cancelled } from "../base/errors.ts"
import { hideTyping } from "../sys/terminal/terminal.ts"
import { writeAll } from "./out.ts"
import { standardInput } from "../sys/terminal/standard-input.ts"

/** Asks at the terminal, by standard error: the question is no result. Throws Cancelled at the end of the input. */
export async function askLine(question: string): Promise<string> {
  writeAll(2, question)
  let answer = ""
  for await (const chunk of standardInput()) {
    answer += Buffer.from(chunk).toString()
    if (answer.includes("\n")) return answer.split("\n")[0]?.trim() ?? ""
  }
  throw new Cancelled("the input ended without an answer")
}

/** As `askLine`, and nothing of the answer is shown. */
export async function askSecret(question: string): Promise<string> {
  using _ = hideTyping(0)
  try {
    return await askLine(question)
  } finally {
    writeAll(2, "\n")
  }
}
