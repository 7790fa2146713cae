import { SkiffError, type ErrorDetails } from "../../base/errors.ts"

/** Docker ends with this code on any wrong flag. */
const USAGE_EXIT_CODE = 125

/** What is wrong with a command line, as `data.usage` of the error says it: a flag, its value, the number of words, the command, a file. */
export type Misuse = "flag" | "value" | "words" | "command" | "file"

/** The command line itself is wrong: a flag, a word too many, flags that contradict each other. Ends with docker's exit code. */
export class UsageError extends SkiffError {
  constructor(
    message: string,
    details: ErrorDetails = {},
    readonly exitCode = USAGE_EXIT_CODE,
  ) {
    super("InvalidArgument", message, details)
  }
}
