import { InvalidArgument } from "../../base/errors.ts"

const OF_IPC = /^(kernel\.(msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced)|fs\.mqueue\.[a-z_]+)$/
const OF_NETWORK = /^net\.[\w-]+(\.[\w-]+)+$/
const OF_UTS = /^kernel\.domainname$/
// no `+`, `|`, newline: a helper that joins or splits by them would set another one (CVE-2022-0811)
const VALUE = /^[\w .,:/\t-]*$/

/**
 * Checks `--sysctl`: only those that belong to a namespace which the container has for itself. Throws InvalidArgument.
 */
export function checkSysctls(
  sysctls: Readonly<Record<string, string>>,
  own: { ipc: boolean; network: boolean; uts: boolean },
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(sysctls).map(([key, value]) => {
      const name = key.replaceAll("/", ".")
      const owner = OF_IPC.test(name)
        ? "ipc"
        : OF_NETWORK.test(name)
          ? "network"
          : OF_UTS.test(name)
            ? "uts"
            : undefined
      if (owner === undefined)
        throw new InvalidArgument(`sysctl ${JSON.stringify(key)} cannot be set in a container`, {
          hint: "allowed: net.*, fs.mqueue.* and kernel.msg*, kernel.sem, kernel.shm*; others would change the host",
        })
      if (!own[owner])
        throw new InvalidArgument(`sysctl "${key}" is not allowed with the host's ${owner} namespace`, {
          hint: "it would change the host",
        })
      if (!VALUE.test(value)) throw new InvalidArgument(`invalid value ${JSON.stringify(value)} of sysctl "${key}"`)
      return [name, value]
    }),
  )
}
