import type { Container, Containers, ContainerSize } from "../../../container/container.ts"
import { NO_NAMESPACES, type NamespaceNumbers } from "../../../podman/container-fields.ts"
import { namespaceNumber } from "../../../sys/process/namespace-numbers.ts"
import type { Engine } from "../../../engine/engine.ts"
import { command } from "../../command.ts"
import type { ContainerList } from "../../compat/lists.ts"
import { containerFilter } from "../../container-filter.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag, type FlagValues } from "../../flag.ts"
import { LIST_FORMAT_FLAGS } from "../../output/format-flags.ts"
import { printList } from "../../output/list.ts"
import { redrawEvery } from "../../output/redraw.ts"
import { compareBy, SORT_KEYS } from "../../output/sort-containers.ts"

const FLAGS = {
  all: flag.bool("Show all containers (default shows just running)", { short: "a" }),
  external: flag.bool("Show the working containers of builds, too"),
  filter: flag.strings("Filter output based on conditions provided", "filter", { short: "f" }),
  ...LIST_FORMAT_FLAGS,
  last: flag.int("Show n last created containers (includes all states)", { short: "n" }),
  latest: flag.bool("Show the latest created container (includes all states)", { short: "l" }),
  noheading: flag.bool("Do not print column headings"),
  noTrunc: flag.bool("Don't truncate output"),
  ns: flag.bool("Show the numbers of the namespaces"),
  pod: flag.bool("Show the pods that the containers are in", { short: "p" }),
  quiet: flag.bool("Only display container IDs", { short: "q" }),
  size: flag.bool("Display total file sizes", { short: "s" }),
  sort: flag.choice(SORT_KEYS, `Sort output by: ${SORT_KEYS.join(", ")}`),
  sync: flag.bool("Bring every record in line with the kernel first"),
  watch: flag.int("Show the list again every so many seconds", { typeName: "seconds", short: "w" }),
}

export default command({
  summary: "List containers",
  args: [],
  flags: FLAGS,
  async run({ flags, engine, out, dialect }) {
    if (flags.size && flags.ns) throw new UsageError("--size and --ns cannot be used together")
    const containers = await engine.containers()
    if (flags.sync) await containers.reconcile()
    const list = (await dialect.lists()).containers({ ...flags, onTerminal: out.stdoutIsTerminal })
    const show = async () => {
      const rows = await rowsOf(containers, list, flags, engine)
      printList(out, rows, flags, list)
    }
    if (flags.watch === undefined) await show()
    else await redrawEvery(flags.watch, out, show)
  },
})

type LsFlags = FlagValues<typeof FLAGS>

async function rowsOf(containers: Containers, list: ContainerList, flags: LsFlags, engine: Engine): Promise<object[]> {
  const count = flags.latest ? 1 : (flags.last ?? -1)
  const found = containers.list(containerFilter(flags.filter, flags.all || count > 0))
  const shown = count > 0 ? found.slice(0, count) : found
  const isSized = flags.size || flags.sort === "size" || names(flags, "Size")
  const sizes = new Map(isSized ? await sizesOf(containers, shown) : [])
  const listed = list.oldestFirst ? shown.toReversed() : shown
  const sorted = flags.sort === undefined ? listed : listed.toSorted(compareBy(flags.sort, sizes))
  const hasNamespaces = flags.ns || names(flags, "NS}", "NS ", "UTS", "IPC", "MNT", "NET", "Namespaces")
  const rows = sorted.flatMap((one) =>
    list.rows(one, {
      noTrunc: flags.noTrunc,
      size: sizes.get(one.id),
      pod: one.options.pod,
      ...(hasNamespaces ? { namespaces: namespacesOf(one) } : {}),
    }),
  )
  if (!flags.external) return rows
  const workingContainers = await engine.workingContainers()
  return [...rows, ...workingContainers.list().map((one) => list.externalRow(one, flags))]
}

async function sizesOf(containers: Containers, shown: readonly Container[]): Promise<[string, ContainerSize][]> {
  return Promise.all(shown.map(async ({ id }) => [id, await containers.size(id)]))
}

/** Whether a template names a field: what is slow to find out is not, else. */
function names({ format }: LsFlags, ...fields: string[]): boolean {
  return format !== undefined && fields.some((field) => format.includes(field))
}

function namespacesOf({ state }: Container): NamespaceNumbers {
  if (!("pid" in state)) return NO_NAMESPACES
  const { pid } = state
  return {
    CGROUPNS: namespaceNumber(pid, "cgroup"),
    IPC: namespaceNumber(pid, "ipc"),
    MNT: namespaceNumber(pid, "mnt"),
    NET: namespaceNumber(pid, "net"),
    PIDNS: namespaceNumber(pid, "pid"),
    USERNS: namespaceNumber(pid, "user"),
    UTS: namespaceNumber(pid, "uts"),
  }
}
