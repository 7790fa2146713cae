import type { Command } from "../command.ts"
import type { Entry } from "../table.ts"

/** How help looks. `name` is the one that was typed. */
export interface HelpPages {
  command(name: string, entry: Entry, command: Command): string
  group(group: string): Promise<string>
  overview(): Promise<string>
}
