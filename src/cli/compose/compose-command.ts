import type { Arg } from "../args.ts"
import { command, type Command, type CommandSpec, type Context } from "../command.ts"
import { flag, type Flag, type Flags } from "../flag.ts"
import { ComposeSession } from "./compose-session.ts"

/** On every verb: docker's own is a persistent flag. */
const SHARED_FLAGS = { dryRun: flag.bool("Execute command in dry run mode") }

type WithSession<A extends readonly Arg<unknown>[], F extends Flags> = Context<A, F> & { compose: ComposeSession }

/** What `composeCommand()` takes: as `command()`, and `run` is handed the session. */
export type ComposeCommandSpec<A extends readonly Arg<unknown>[], F extends Flags> = Omit<CommandSpec<A, F>, "run"> & {
  run(context: WithSession<A, F>): Promise<number | void>
}

/** A verb of compose: its context knows the flags that stood before it, and loads the project when asked. */
export function composeCommand<const A extends readonly Arg<unknown>[], const F extends Flags>(
  spec: ComposeCommandSpec<A, F>,
): Command {
  const flags: F & { dryRun: Flag<boolean> } = { ...SHARED_FLAGS, ...spec.flags }
  return command<A, typeof flags>({
    ...spec,
    flags,
    async run(context) {
      const compose = new ComposeSession(context, context.flags.dryRun === true)
      return spec.run({ ...(context as unknown as Context<A, F>), compose })
    },
  })
}
