import { flag } from "../flag.ts"

const TEMPLATE_HELP =
  "'json':             Print in JSON format\n'TEMPLATE':         Print output using the given\nGo template"

/** `--format` and `--json` of commands that print tables. */
export const LIST_FORMAT_FLAGS = {
  format: flag.string(
    `Format output using a custom template:\n'table':            Print output in table format\nwith column headers (default)\n'table TEMPLATE':   Print output in table format\nusing the given Go template\n${TEMPLATE_HELP}`,
  ),
  json: flag.bool("Print one JSON array"),
}

/** `-f, --format` and `--json` of commands that print documents. */
export const DOCUMENT_FORMAT_FLAGS = {
  format: flag.string(`Format output using a custom template:\n${TEMPLATE_HELP}`, "string", { short: "f" }),
  json: flag.bool("Print JSON"),
}
