/** Whether `test` holds of one of the wanted values, or none is wanted: how the values of one filter are joined. */
export function fitsSome<T>(wanted: readonly T[] | undefined, test: (value: T) => boolean): boolean {
  return wanted === undefined || wanted.length === 0 || wanted.some(test)
}
