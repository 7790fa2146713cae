/** What each step of a start is, by the key of its sentences. */
export type StepKey =
  | "root"
  | "files"
  | "cgroup"
  | "noCgroup"
  | "namespaces"
  | "idMap"
  | "mounts"
  | "devices"
  | "masks"
  | "settings"
  | "veth"
  | "address"
  | "firewall"
  | "ports"
  | "pasta"
  | "hosts"
  | "noNetwork"
  | "seccomp"
  | "noSeccomp"
  | "program"

/** A step of a start, with the lines of a shell that do the same. */
export interface ExplainedStep {
  key: StepKey
  /** Fill the sentences. */
  values: Readonly<Record<string, string | number>>
  /**
   * In order, together with those of all steps before: a script that a root shell runs. `$P` is the container's first process,
   * `inside` enters its namespaces. Empty where a shell has no such command.
   */
  shell: readonly string[]
}
