import type { Context } from "./command.ts"
import { printDocuments } from "./output/document.ts"
import { isWholeFormat } from "./output/whole-format.ts"

/** Prints the documents of all names; those that are not there are told after the others. Gives the exit code. */
export async function inspectEach(
  names: readonly string[],
  flags: { format: string | undefined; json: boolean },
  { out, report, dialect }: Pick<Context<[], Record<never, never>>, "out" | "report" | "dialect">,
  inspect: (name: string) => Promise<object> | object,
): Promise<number> {
  const documents: object[] = []
  const failures: unknown[] = []
  for (const name of names) {
    try {
      documents.push(await inspect(name))
    } catch (error) {
      failures.push(error)
    }
  }
  // `--json` alone is the array that is printed anyway
  const isArray = flags.json || (dialect.results.jsonIsArray && isWholeFormat(flags.format))
  printDocuments(out, documents, isArray ? undefined : flags.format)
  let code = 0
  for (const failure of failures) code = await report(failure)
  return code
}
