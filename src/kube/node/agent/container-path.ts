import type { KeptPod } from "../../controllers/pod-state.ts"

/** As kubelet names containers in events: `spec.containers{name}`. */
export function pathOf({ spec }: KeptPod, name: string): string {
  const lists = [
    ["initContainers", spec?.initContainers],
    ["ephemeralContainers", spec?.ephemeralContainers],
  ] as const
  const found = lists.find(([, list]) => list?.some((one) => one.name === name))
  return `spec.${found?.[0] ?? "containers"}{${name}}`
}
