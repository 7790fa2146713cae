import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { LaunchStep } from "../../container/container.ts"
import { MountFlag } from "../../sys/fs/mount.ts"
import { shellLine, shellWord, shellWrite } from "./shell-words.ts"
import type { ExplainedStep } from "./step.ts"

type Step<Kind> = LaunchStep & { kind: Kind }

/** The layers become one tree. */
export function rootStep({ target, mount }: Step<"root">): ExplainedStep {
  const { type, source, data, flags = 0, workingDirectory = "/", helper } = mount
  const option = (name: string): string | undefined =>
    data.find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1)
  const lower = option("lowerdir")?.split(":") ?? []
  const [upper, work] = [option("upperdir"), option("workdir")]
  const absolute = (path: string): string => join(workingDirectory, path)
  const made = [target, ...(upper === undefined || work === undefined ? [] : [absolute(upper), absolute(work)])]
  const first = lower[0]
  const isBind = (flags & MountFlag.bind) !== 0
  const mounting = isBind
    ? shellLine("mount", "--bind", source, target)
    : helper !== undefined
      ? shellLine(...helper, "-o", data.join(","), target)
      : shellLine("mount", "-t", type, "-o", data.join(","), source, target)
  return {
    key: "root",
    values: { layers: lower.length, upper: upper === undefined ? "-" : absolute(upper), target },
    shell: [
      shellLine("mkdir", "-p", ...made),
      // the root directory of the tree is the upper's
      ...(upper === undefined || first === undefined
        ? []
        : [`chmod --reference=${shellWord(absolute(first))} ${shellWord(absolute(upper))}`]),
      isBind ? mounting : `( cd ${shellWord(workingDirectory)} && ${mounting} )`,
    ],
  }
}

/** What is bound over /etc of the container lies outside its layers. */
export function filesStep({ directory }: Step<"files">): ExplainedStep | undefined {
  if (!existsSync(directory)) return undefined
  const texts = readdirSync(directory).map((name) => [name, readText(join(directory, name))] as const)
  return {
    key: "files",
    values: { directory, names: texts.map(([name]) => name).join(", ") },
    shell: [
      shellLine("mkdir", "-p", directory),
      shellLine("mount", "-t", "tmpfs", "-o", "size=1m,mode=0755,nosuid,nodev,noexec", "skiff", directory),
      ...texts.map(([name, text]) => shellWrite(join(directory, name), text)),
    ],
  }
}

/** /etc/hosts is written once the address is known. */
export function hostsStep(directory: string): ExplainedStep[] {
  const path = join(directory, "hosts")
  const text = existsSync(path) ? readText(path) : ""
  return text === "" ? [] : [{ key: "hosts", values: { path }, shell: [shellWrite(path, text)] }]
}

function readText(path: string): string {
  return readFileSync(path, "utf8")
}
