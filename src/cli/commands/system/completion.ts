import { InvalidArgument } from "../../../base/errors.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { SCRIPTS } from "../../completion/scripts.ts"

export default command({
  summary: "Print the completion script of a shell",
  args: [arg.one("bash|zsh|fish")],
  flags: {},
  examples: ["source <(skiff completion bash)", "skiff completion fish > ~/.config/fish/completions/skiff.fish"],
  async run({ args: [shell], out }) {
    if (!isShell(shell)) throw new InvalidArgument(`unknown shell "${shell}"`, { hint: "valid: bash, zsh, fish" })
    out.text(SCRIPTS[shell])
  },
})

function isShell(name: string): name is keyof typeof SCRIPTS {
  return Object.hasOwn(SCRIPTS, name)
}
