// What the pages do beyond links and forms. Everything here is a comfort: without it each page works as well.
"use strict"

const body = document.body
const KEPT = "muster-kept"

// What was typed outlives a session that ends while one writes, and a network that fails: kept in this tab until it was sent, never
// passwords or files, and given back to whoever typed it alone. With its key, so that what did arrive counts once.
const fieldsOf = form => [...new FormData(form)].filter(([name, value]) => typeof value === "string" && name !== "once")
const placeOf = form => [new URL(form.action, location.href).pathname, location.pathname + location.search]

document.addEventListener("submit", event => {
  const form = event.target
  if (form.matches("[data-forget]")) { globalThis.caches?.delete("muster-first-page"); return sessionStorage.clear() }
  if (form.method !== "post" || form.querySelector("[type=password]") || location.pathname === "/signin") return
  const [action, place] = placeOf(form)
  sessionStorage.setItem(KEPT, JSON.stringify({ me: body.dataset.me, action, place, lost: false, once: form.elements.namedItem("once")?.value, fields: fieldsOf(form) }))
}, true)

const saysWhom = form => [...form.querySelectorAll("[type=hidden]:not([name=once])")] // of many forms alike, whom it is about
const noSignal = document.querySelector("[data-no-signal]")

function restore() {
  const kept = JSON.parse(sessionStorage.getItem(KEPT) || "null")
  if (!kept) return
  if (noSignal && !kept.lost && kept.action !== location.pathname) return // only a look failed
  if (noSignal) {
    noSignal.querySelector("[data-unsent]").hidden = false
    noSignal.querySelector("[data-again]").href = kept.place
  }
  if (location.pathname === "/signin" || noSignal) return sessionStorage.setItem(KEPT, JSON.stringify({ ...kept, lost: true }))
  if (!kept.lost || (body.dataset.me && kept.me !== body.dataset.me)) return sessionStorage.removeItem(KEPT)
  const alike = [...document.forms].filter(each => each.method === "post" && placeOf(each)[0] === kept.action)
  const form = alike.length > 1 ? alike.find(each => saysWhom(each).every(field => kept.fields.some(([name, value]) => name === field.name && value === field.value))) : alike[0]
  if (!form) return
  sessionStorage.removeItem(KEPT)
  if (kept.once && form.elements.namedItem("once")) form.elements.namedItem("once").value = kept.once
  for (const box of form.querySelectorAll("[type=checkbox], [type=radio]")) box.checked = kept.fields.some(([name, value]) => name === box.name && value === box.value)
  for (const [name, value] of kept.fields) {
    const field = form.elements.namedItem(name)
    if (field instanceof HTMLElement && !field.matches("[type=checkbox], [type=radio], [type=file], [type=hidden]")) field.value = value
  }
  form.closest("details")?.setAttribute("open", "")
  tell(body.dataset.kept)
  form.querySelector("input:not([type=hidden]), select, textarea")?.focus()
}

function tell(words) {
  for (const said of document.querySelectorAll("#toasts .toast")) if (said.textContent === words) said.remove()
  const toast = document.createElement("div")
  toast.className = "toast"
  toast.setAttribute("role", "status")
  toast.append("", Object.assign(document.createElement("span"), { textContent: words }))
  document.getElementById("toasts")?.append(toast)
  setTimeout(() => toast.remove(), 8000)
}

// On a slow line a tap shows at once that it is on its way. A plain form may answer with a file, and the page stays: not for ever.
const rest = () => { for (const button of document.querySelectorAll("button[aria-busy]")) button.removeAttribute("aria-busy") }
document.addEventListener("submit", event => {
  if (event.target.method !== "post" || !event.submitter) return
  event.submitter.setAttribute("aria-busy", "true")
  setTimeout(rest, 20000)
})
document.addEventListener("htmx:finally:request", event => { if (!event.detail.ctx?.sourceElement?.matches("[data-live]")) rest() })
addEventListener("pageshow", rest)

// Live hints: the stream says which topic changed, without data; each block that shows it asks for itself again.
const topicsOf = element => element.dataset.live.split(/\s+/)
const busy = element => element.contains(document.activeElement) && document.activeElement.matches("input, select, textarea")

function refresh(topic) {
  for (const element of document.querySelectorAll("[data-live]")) {
    if (topic !== "all" && !topicsOf(element).includes(topic)) continue
    if (busy(element)) { element.addEventListener("focusout", () => refreshSoon(element), { once: true }); continue }
    refreshSoon(element)
  }
}

const waiting = new WeakMap()
function refreshSoon(element) { // many hints at once are one question, and not all pages ask in the same instant
  if (waiting.has(element)) return // to begin anew at each hint would never end while hints keep coming
  waiting.set(element, setTimeout(() => {
    waiting.delete(element)
    if (!element.isConnected || busy(element)) return
    const open = [...element.querySelectorAll("details[open][id]")].map(one => one.id) // what one has opened stays so, whatever others do
    htmx.ajax("GET", element.dataset.liveFrom || location.pathname + location.search, { source: element, target: element, swap: "outerMorph", headers: { "Muster-Live": "1" } })
      ?.then(() => { for (const id of open) document.getElementById(id)?.setAttribute("open", "") }, () => {})
  }, 100 + Math.random() * 300))
}

let stream = null, asked = "", missed = false
function listen() { // one stream a page; it is opened anew when a block brought topics that nobody asked for yet
  const topics = [...new Set([...document.querySelectorAll("[data-live]")].flatMap(topicsOf))].sort().join(",")
  if (!body.dataset.liveStream || !topics || document.hidden || (stream && topics === asked)) return
  stream?.close()
  asked = topics
  let first = true
  stream = new EventSource(`${body.dataset.liveStream}?topics=${encodeURIComponent(topics)}`)
  stream.addEventListener("open", () => { if (!first || missed) refresh("all"); first = missed = false })
  stream.addEventListener("changed", event => refresh(event.data.trim()))
  stream.addEventListener("error", () => { if (stream?.readyState === EventSource.CLOSED) stop() })
}
function stop() { stream?.close(); stream = null; missed = true }
document.addEventListener("visibilitychange", () => document.hidden ? stop() : listen())
setInterval(() => { if (!document.hidden && !stream) { refresh("all"); listen() } }, 30000)
addEventListener("pagehide", stop)

// The clock of the band goes on by itself; it shows business time, so only what has passed since is added.
const clock = document.querySelector("[data-clock]")
if (clock && !document.querySelector("[data-away]:not([hidden])")) { // a page shown without signal says when it was fetched instead
  const [, hours, minutes, seconds] = clock.dateTime.match(/T(\d\d):(\d\d):(\d\d)/).map(Number), begun = performance.now()
  setInterval(() => {
    const passed = Math.floor((hours * 3600 + minutes * 60 + seconds + (performance.now() - begun) / 1000) / 60) % 1440
    clock.textContent = [Math.floor(passed / 60), passed % 60].map(part => String(part).padStart(2, "0")).join(":")
  }, 5000)
}

document.addEventListener("keydown", event => { // "/" goes to the search field, as on most lists
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, [contenteditable]")) return
  const search = document.querySelector("[type=search]")
  if (search) { event.preventDefault(); search.focus(); search.select() }
})

document.addEventListener("click", async event => {
  const button = event.target.closest("[data-print], [data-copy], [data-opens], [data-closes], [aria-disabled=true]")
  if (!button) return
  if (button.getAttribute("aria-disabled") === "true") return event.preventDefault()
  if ("print" in button.dataset) window.print()
  if (button.dataset.copy && navigator.clipboard) { await navigator.clipboard.writeText(button.dataset.copy); tell(body.dataset.copied) }
  const question = button.dataset.opens && document.getElementById(button.dataset.opens)
  if (question) { event.preventDefault(); question.showModal() } // a link that opens a question leads to a page with it when there is no script
  if ("closes" in button.dataset) button.closest("dialog")?.close()
})

function nameWrong() { // the list of what is wrong says of which field: the sentence alone stands beside the field
  for (const link of document.querySelectorAll("[data-refusal] .wrong a:not([data-named])")) {
    const field = document.getElementById(link.hash.slice(1)), label = field?.labels?.[0] ?? field?.querySelector("legend")
    link.dataset.named = ""
    if (label && field.type !== "checkbox") link.textContent = `${label.firstChild.textContent.trim()}${document.documentElement.lang === "en" ? ": " : "："}${link.textContent}`
  }
}

function settle(status) { // after a page or a block has come: a refusal is read out and seen, what was done fades
  nameWrong()
  if (status >= 400) document.querySelector("[data-refusal]")?.focus()
  for (const toast of document.querySelectorAll(".toast[data-passing]")) setTimeout(() => toast.remove(), 8000)
  listen()
}
document.addEventListener("htmx:after:swap", event => { // the row whose detail has come beside the list is the chosen one
  const link = event.detail.ctx?.sourceElement
  if (!link?.matches?.("a[data-chooses]")) return
  for (const row of link.closest("tbody").rows) row.classList.toggle("chosen", row.contains(link))
  for (const other of link.closest("tbody").querySelectorAll("a[data-chooses]")) other === link ? other.setAttribute("aria-current", "true") : other.removeAttribute("aria-current")
})
document.addEventListener("htmx:after:swap", event => {
  if (event.detail.ctx?.response?.status < 400) { document.getElementById("alert")?.replaceChildren(); sessionStorage.removeItem(KEPT) }
  settle(event.detail.ctx?.response?.status)
})
document.addEventListener("htmx:before:response", event => { // a session that ended while one only looked on does not take the page away
  const { response, sourceElement } = event.detail.ctx
  if (response.status === 401 && sourceElement.matches("[data-live]")) event.preventDefault()
})
document.addEventListener("htmx:error", event => { if (!event.detail.ctx?.sourceElement?.matches("[data-live]")) tell(body.dataset.offline) })

const address = new URL(location.href)
if (address.searchParams.has("done")) { address.searchParams.delete("done"); history.replaceState(history.state, "", address) }
// On somebody's own phone, where the browser trusts the connection: the first page is there without signal too.
if (body.dataset.worker) navigator.serviceWorker?.register(body.dataset.worker, { scope: "/" }).catch(() => {})
restore()
if (noSignal) { // the address is that of the page one wanted
  const again = noSignal.querySelector("[data-again]")
  addEventListener("online", () => setTimeout(() => again.click(), 1500)) // a network that has just come is not there yet
}
settle(performance.getEntriesByType("navigation")[0]?.responseStatus)
