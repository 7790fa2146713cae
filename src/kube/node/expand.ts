/**
 * Fills in `$(NAME)` as kubelet does: `$$` is a dollar, and a name that nothing is known of stays as it is written. Values are not looked
 * at again. Pure.
 */
export function expandVariables(text: string, valueOf: (name: string) => string | undefined): string {
  return text.replace(/\$(?:(\$)|\(([^()$]*)\))/g, (whole: string, dollar?: string, name?: string) =>
    dollar === undefined ? (valueOf(name ?? "") ?? whole) : dollar,
  )
}
