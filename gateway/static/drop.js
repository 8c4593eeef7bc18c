// A file may be dropped anywhere on a page that takes one; what is too large is said before it is sent.
"use strict"

const form = document.querySelector("form[data-drop]")
const field = form?.querySelector("[type=file]")
const error = document.getElementById(field?.id + "_error")

function check() {
  const tooLarge = field.files[0]?.size > Number(field.dataset.most)
  field.setCustomValidity(tooLarge ? field.dataset.tooLarge : "")
  field.setAttribute("aria-invalid", String(tooLarge))
  error.textContent = tooLarge ? field.dataset.tooLarge : ""
}

if (field) {
  field.addEventListener("change", check)
  for (const kind of ["dragover", "dragleave", "drop"]) addEventListener(kind, event => {
    if (![...event.dataTransfer?.types ?? []].includes("Files")) return
    event.preventDefault()
    field.toggleAttribute("data-over", kind === "dragover")
    if (kind !== "drop" || !event.dataTransfer.files.length) return
    field.files = event.dataTransfer.files
    check()
  })
  form.addEventListener("submit", event => { // a second press would only be told that the first is under way
    if (form.getAttribute("aria-busy") === "true") return event.preventDefault()
    form.setAttribute("aria-busy", "true")
    form.querySelector(".main-act")?.setAttribute("aria-busy", "true")
  })
  addEventListener("pageshow", () => { // also when one comes back to the page
    form.removeAttribute("aria-busy")
    form.querySelector(".main-act")?.removeAttribute("aria-busy")
  })
}
