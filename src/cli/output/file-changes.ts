import type { FileChange } from "../../snapshot/snapshot.ts"
import { flag } from "../flag.ts"
import { evaluate } from "../template/evaluate.ts"
import { parseTemplate } from "../template/parser.ts"
import type { Out } from "../out.ts"

/** `--format` and `--json` of diff. */
export const DIFF_FORMAT_FLAGS = {
  format: flag.string("Change the output format (json or a Go template)"),
  json: flag.bool("Print JSON"),
}

const LETTERS = { added: "A", changed: "C", deleted: "D" } as const

/** Prints docker's lines, or podman's document of three lists; a template is filled once a file. */
export async function printFileChanges(
  out: Out,
  changes: AsyncIterable<FileChange>,
  { format, json }: { format: string | undefined; json: boolean },
): Promise<void> {
  if (json || format === "json") return out.json(await listsOf(changes))
  const template = format === undefined || format === "" ? undefined : parseTemplate(format)
  for await (const { kind, path } of changes) {
    const row = { Kind: LETTERS[kind], Path: text(path) }
    out.line(template === undefined ? `${row.Kind} ${row.Path}` : evaluate(template, row))
  }
}

async function listsOf(changes: AsyncIterable<FileChange>): Promise<Partial<Record<FileChange["kind"], string[]>>> {
  const lists: Partial<Record<FileChange["kind"], string[]>> = {}
  for await (const { kind, path } of changes) (lists[kind] ??= []).push(text(path))
  return lists
}

/** Names are bytes; what is no UTF-8 is shown as far as it can be. */
function text(raw: string): string {
  return Buffer.from(raw, "latin1").toString("utf8")
}
