import { InvalidArgument } from "../../base/errors.ts"
import { isTerminal } from "../../sys/terminal/terminal.ts"

/** `-t` with `-i` needs a terminal to read from. Throws InvalidArgument in docker's words. */
export function checkStandardInput({ tty, stdin }: { tty: boolean; stdin: boolean }): void {
  if (tty && stdin && !isTerminal(0))
    throw new InvalidArgument("the input device is not a TTY", {
      hint: "leave -t out to use a pipe or a file as input",
    })
}
