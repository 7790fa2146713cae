import { DataLoss } from "./errors.ts"

/**
 * For rows that hold JSON: each says the version of its shape, and the steps of a schema bring all rows to the one that is known.
 * One that is of another all the same is not guessed at. `what`: whose row, for the message. Throws DataLoss.
 */
export function checkRowVersion({ version }: { version: number }, known: number, what: string): void {
  if (version === known) return
  throw new DataLoss(`the record of ${what} cannot be read: it is of version ${version}`, {
    data: { version },
    hint: `version ${known} is known: a newer skiff wrote it, or the disk is damaged`,
  })
}
