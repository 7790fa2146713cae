/** Whether that is no path, but `vendor.com/class=name`. */
export function isCdiName(text: string): boolean {
  return /^[A-Za-z][\w.-]*[A-Za-z0-9]\/[A-Za-z][\w-]*=[\w.:-]+$/.test(text)
}
