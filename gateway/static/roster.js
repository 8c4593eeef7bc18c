// The grid of a week, by keyboard: what is typed finds people, Enter takes the first, arrows go to the next place; the check follows.
"use strict"

const planning = document.querySelector("[data-planning]")
const places = () => [...planning.querySelectorAll("input[data-post]")]
const hiddenOf = field => field.previousElementSibling
let list = null, owner = null, asking = null, pause = 0

function shut() {
  clearTimeout(pause)
  asking?.abort()
  list?.remove()
  list = null
  owner?.setAttribute("aria-expanded", "false")
  owner?.removeAttribute("aria-activedescendant")
  owner = null
}

const options = () => list ? [...list.querySelectorAll("[role=option]")] : []
const active = () => list?.dataset.stale ? undefined : options().find(one => one.getAttribute("aria-selected") === "true")

function choose(option) {
  for (const one of options()) one.setAttribute("aria-selected", String(one === option))
  option.scrollIntoView({ block: "nearest" })
  owner.setAttribute("aria-activedescendant", option.id)
}

function take(option) {
  const field = owner
  field.value = option.dataset.name
  hiddenOf(field).value = `${option.dataset.id} ${option.dataset.name}`
  shut()
  changed(field)
}

const keyOf = field => field.closest("[data-place]").dataset.place

function changed(field) { // words that nobody was chosen for are nobody yet, while one is in the field
  planning.elements.typing.value = document.activeElement === field ? keyOf(field) : ""
  if (hiddenOf(field).value.split(" ").slice(1).join(" ") !== field.value.trim()) hiddenOf(field).value = ""
  htmx.trigger(planning, "muster:placed")
}

async function look(field) {
  asking?.abort()
  asking = new AbortController()
  const query = new URLSearchParams({ post_id: field.dataset.post, on: field.dataset.on, q: field.value.trim() })
  const headers = { "HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "ul#candidates" }
  let html = ""
  try {
    const answer = await fetch(`${planning.dataset.planning}?${query}`, { headers, signal: asking.signal })
    if (!answer.ok || document.activeElement !== field) return
    html = await answer.text()
  } catch { return }
  shut()
  owner = field
  field.insertAdjacentHTML("afterend", html)
  list = field.nextElementSibling
  list.popover = "manual"
  list.showPopover()
  lay()
  field.setAttribute("aria-expanded", "true")
  if (options().length) choose(options()[0])
}

function lay() { // below its field, or above it where there is no room
  const box = owner.getBoundingClientRect(), height = list.offsetHeight
  const below = box.bottom + height + 8 < innerHeight || box.top < height
  list.style.left = `${Math.max(8, Math.min(box.left, innerWidth - list.offsetWidth - 8))}px`
  list.style.top = `${below ? box.bottom + 4 : box.top - height - 4}px`
}

function lookSoon(field) {
  clearTimeout(pause)
  pause = setTimeout(() => look(field), 120)
}

function go(field, across, down) {
  const cell = field.closest("td"), row = cell.parentElement, column = [...row.cells].indexOf(cell)
  if (across) {
    const next = places()[places().indexOf(field) + across]
    const beside = row.cells[column + across]?.querySelectorAll("input[data-post]")
    return (beside?.[Math.min(beside.length - 1, [...cell.querySelectorAll("input[data-post]")].indexOf(field))] ?? next)?.focus()
  }
  const inColumn = [...planning.querySelectorAll("tbody tr")].flatMap(each => [...each.cells[column].querySelectorAll("input[data-post]")])
  inColumn[inColumn.indexOf(field) + down]?.focus()
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }

function pressed(event) {
  const field = event.target.closest("input[data-post]")
  if (!field || event.isComposing || event.ctrlKey || event.metaKey) return
  if (event.key === "Enter") { // never sends the form: that is for the buttons
    event.preventDefault()
    clearTimeout(pause)
    if (active()) take(active())
    else if (field.value.trim() && !hiddenOf(field).value) return look(field).then(() => { if (active()) { take(active()); go(field, 1, 0) } })
    return go(field, 1, 0)
  }
  if (event.key === "Escape" && list) { event.preventDefault(); return shut() }
  if (event.altKey && event.key === "ArrowDown") { event.preventDefault(); return look(field) }
  const step = ARROWS[event.key]
  if (!step || event.altKey || event.shiftKey) return
  const [across, down] = step
  if (list && down && options().length) {
    event.preventDefault()
    const all = options()
    return choose(all[(all.indexOf(active()) + down + all.length) % all.length])
  }
  const whole = field.selectionStart === 0 && field.selectionEnd === field.value.length
  if (across && !whole && field.selectionStart !== (across < 0 ? 0 : field.value.length)) return
  event.preventDefault()
  go(field, across, down)
}

function mark() { // what the check said stands beside each place, too
  const found = document.getElementById("findings")
  if (!found || "notChecked" in found.dataset) return
  const wrong = new Map([...found.querySelectorAll("[data-wrong]")].map(one => [one.dataset.wrong, one.querySelector(".say span").textContent]))
  for (const place of planning.querySelectorAll("[data-place]")) {
    const words = wrong.get(place.dataset.place) ?? "", said = place.querySelector(":scope > .say")
    said.hidden = !words
    said.querySelector("span").textContent = words
    words ? place.querySelector("input.input")?.setAttribute("aria-invalid", "true") : place.querySelector("input.input")?.removeAttribute("aria-invalid")
  }
}

if (planning) {
  for (const field of places()) {
    for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-expanded", "false"], ["aria-controls", "candidates"]]) field.setAttribute(name, value)
  }
  planning.addEventListener("keydown", pressed)
  planning.addEventListener("input", event => {
    if (!event.target.matches("input[data-post]") || event.isComposing) return
    changed(event.target)
    if (list) list.dataset.stale = "yes" // Enter takes the first of what is typed now
    event.target.value.trim() ? lookSoon(event.target) : shut()
  })
  planning.addEventListener("compositionend", event => event.target.matches("input[data-post]") && (changed(event.target), lookSoon(event.target)))
  planning.addEventListener("focusin", event => { if (event.target.matches("input[data-post]")) event.target.select() })
  planning.addEventListener("focusout", event => {
    if (event.target === owner) shut()
    if (event.target.matches("input[data-post]") && event.target.value.trim() && !hiddenOf(event.target).value) {
      planning.elements.typing.value = "" // left with words: whom they mean is looked for now
      htmx.trigger(planning, "muster:placed")
    }
  })
  planning.addEventListener("mousedown", event => { // before the field loses the focus
    const option = event.target.closest("[role=option]")
    if (option) { event.preventDefault(); take(option) }
  })
  planning.querySelector(".scroll").addEventListener("scroll", () => list && lay())
  document.addEventListener("htmx:after:swap", mark)
}
