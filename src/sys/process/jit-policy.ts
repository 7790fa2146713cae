/**
 * From now on what is called often becomes machine code as soon as JavaScriptCore would do it by itself. The executable begins with
 * thresholds that are eight times as high (`--compile-jit-policy` in scripts/build.sh): a start calls little more than once.
 */
export function compileAsUsual(): void {
  Bun.unsafe.setJITPolicy(1)
}
