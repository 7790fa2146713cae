/** The one script of the registry's pages: without it everything is there but the copying. */
export const SCRIPT = `
document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copies]")
  if (!button) return
  const code = button.parentElement.querySelector("code")
  try {
    await navigator.clipboard.writeText(code.textContent)
  } catch {
    // over plain HTTP a browser has no clipboard for pages
    getSelection().selectAllChildren(code)
    document.execCommand("copy")
  }
  button.textContent = "Copied"
  setTimeout(() => { button.textContent = "Copy" }, 2000)
})
`
