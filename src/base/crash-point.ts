/**
 * Places where a test makes the engine die, to prove that `kill -9` at any line loses nothing.
 * `SKIFF_CRASH_AT=start:mounted skiff-test run …` ends the process by SIGKILL when it gets there; in the executable that
 * people run the variable means nothing (scripts/build.sh).
 */
export const CRASH_POINTS = [
  "pull:manifest-fetched",
  "pull:layer-half",
  "pull:layer-blob-committed",
  "pull:layer-extracted",
  "pull:layers-joined",
  "pull:before-record",
  "pull:recorded",
  "create:locked",
  "create:recorded",
  "create:snapshot-prepared",
  "create:volumes-made",
  "start:marked",
  "start:monitor-started",
  "start:mounted",
  "clocks:made",
  "ids:claimed",
  "ids:layers-mapped",
  "ids:root-mapped",
  "start:files-written",
  "start:bundle-made",
  "start:monitor-created",
  "start:network-set-up",
  "start:before-program",
  "start:program-started",
  "start:recorded",
  "end:exit-read",
  "end:recorded",
  "end:metered",
  "end:runtime-deleted",
  "end:network-torn-down",
  "end:unmounted",
  "end:run-directory-removed",
  "end:reconciled",
  "copy:mounted",
  "copy:cloned",
  "pause:done",
  "resume:done",
  "update:recorded",
  "update:ports-changed",
  "update:applied",
  "commit:paused",
  "image:layer-stored",
  "push:layers-sent",
  "push:manifest-put",
  "restart:recorded",
  "remove:marked",
  "remove:snapshot-removed",
  "remove:volumes-removed",
  "remove:files-removed",
  "remove:row-deleted",
  "sandbox:starting",
  "sandbox:namespaces-made",
  "sandbox:removing",
  "secret:written",
  "secret:replaced",
  "secret:removing",
  "pod:recorded",
  "pod:sandbox-ready",
  "pod:containers-stopped",
  "pod:removing",
  "pod:containers-removed",
  "pod:sandbox-removed",
  "working:prepared",
  "working:marked-mounted",
  "working:snapshot-removed",
  "build:prepared",
  "build:worked",
  "build:committed",
  "build:recorded",
  "build:layer-read",
  "build:layers-named",
  "build:documents-put",
  "build:image-recorded",
  "cache:layers-sent",
  "cache:config-sent",
  "cache:published",
] as const

/** A step at which a test may have this process die. */
export type CrashPoint = (typeof CRASH_POINTS)[number]

declare const SKIFF_RELEASE: boolean | undefined
const wanted = typeof SKIFF_RELEASE === "undefined" ? process.env.SKIFF_CRASH_AT : undefined

/** Does nothing, unless this very step was asked to be the last one. */
export function crashPoint(step: CrashPoint): void {
  if (wanted === step) process.kill(process.pid, "SIGKILL")
}
