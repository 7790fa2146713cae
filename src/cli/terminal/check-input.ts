import { InvalidArgument } from "../../base/errors.ts"
import { log } from "../../base/log.ts"
import { isTerminal } from "../../sys/terminal/terminal.ts"

/** `-t` with `-i` needs a terminal to read from. Throws InvalidArgument in docker's words, or warns in podman's where it is not `needed`. */
export function checkStandardInput({ tty, stdin }: { tty: boolean; stdin: boolean }, needed = true): void {
  if (!tty || !stdin || isTerminal(0)) return
  if (needed)
    throw new InvalidArgument("the input device is not a TTY", {
      hint: "leave -t out to use a pipe or a file as input",
    })
  log.warn("The input device is not a TTY. The --tty and --interactive flags might not work properly")
}
