// The script of pages with graph drawings. It shows the note and the neighbours of the node under the
// pointer, finds nodes by name, and zooms. It is inlined in the same way as client.ts.
import type { GraphData } from './graph-drawing.ts'

const graphs: Record<string, GraphData> = JSON.parse(document.getElementById('graphs')!.textContent!)
/** The pointer selects a node within this distance, in CSS pixels. It is large, because a finger is wide. */
const REACH = 24
const ZOOM = 1.5
/** Font size of names, in CSS pixels. */
const LABEL = 12

interface View {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

function neighboursOf({ names, pairs }: GraphData): number[][] {
  const lists: number[][] = names.map(() => [])
  for (let e = 0; e < pairs.length; e += 2) {
    lists[pairs[e]].push(pairs[e + 1])
    lists[pairs[e + 1]].push(pairs[e])
  }
  return lists
}

function bringToLife(element: HTMLElement): void {
  const data = graphs[element.dataset.graph!]
  const neighbours = neighboursOf(data)
  const svg = element.querySelector('svg')!
  const info = element.querySelector<HTMLElement>('.graph-info')!
  const near = element.querySelector('.near')!
  const find = element.querySelector('input')!
  const circles = Array.from(element.querySelectorAll<SVGCircleElement>('.nodes circle'))
  const places = circles.map((circle) => [circle.cx.baseVal.value, circle.cy.baseVal.value] as const)
  const labels = element.querySelector('.labels')
  const radii = circles.map((circle) => circle.r.baseVal.value)
  const { width, height } = svg.viewBox.baseVal
  const whole: View = { x: 0, y: 0, width, height }
  let view = whole
  let pinned = -1
  let shown = -1

  function show(node: number): void {
    if (node === shown) return
    shown = node
    for (const circle of element.querySelectorAll('.is-near'))
      circle.classList.remove('is-near', 'is-pointed')
    svg.classList.toggle('pointed', node >= 0)
    info.replaceChildren()
    near.setAttribute('d', '')
    if (node < 0) return
    const name = document.createElement('b')
    name.textContent = data.names[node]
    info.append(name, ` ${data.notes[node]}`)
    circles[node].classList.add('is-near', 'is-pointed')
    for (const other of neighbours[node]) circles[other].classList.add('is-near')
    const lines = neighbours[node].map((other) => `M${places[node].join(' ')}L${places[other].join(' ')}`)
    near.setAttribute('d', lines.join(''))
  }

  function look(next: View): void {
    const wide = Math.min(whole.width, next.width)
    const tall = (wide * whole.height) / whole.width
    const within = (value: number, most: number) => Math.max(0, Math.min(most, value))
    view = {
      x: within(next.x, whole.width - wide),
      y: within(next.y, whole.height - tall),
      width: wide,
      height: tall,
    }
    svg.setAttribute('viewBox', `${view.x} ${view.y} ${view.width} ${view.height}`)
    keepSizes()
  }

  /** Keeps the size of nodes and names on the screen constant when the view zooms, so they move apart. They
   *  are smaller if the whole drawing is small. */
  function keepSizes(): void {
    const unit = 1 / svg.getScreenCTM()!.a
    const share = Math.max(0.5, Math.min(1, 1 / unit))
    labels?.setAttribute('font-size', String(LABEL * unit * share))
    for (const [i, circle] of circles.entries()) circle.setAttribute('r', String(radii[i] * unit * share))
  }

  const zoom = (factor: number): void =>
    look({
      x: view.x + (view.width * (1 - 1 / factor)) / 2,
      y: view.y + (view.height * (1 - 1 / factor)) / 2,
      width: view.width / factor,
      height: view.height / factor,
    })

  /** The node nearest to the pointer, or −1 if none is within reach. */
  function nodeAt({ clientX, clientY }: PointerEvent): number {
    const toDrawing = svg.getScreenCTM()!.inverse()
    const { x, y } = new DOMPoint(clientX, clientY).matrixTransform(toDrawing)
    const unit = toDrawing.a
    let best = -1
    let least = (REACH * unit) ** 2
    for (const [i, [nodeX, nodeY]] of places.entries()) {
      const square = (nodeX - x) ** 2 + (nodeY - y) ** 2
      if (square >= least) continue
      best = i
      least = square
    }
    return best
  }

  let dragged: { x: number; y: number; view: View } | undefined
  svg.addEventListener('pointerdown', (event) => {
    dragged = { x: event.clientX, y: event.clientY, view }
  })
  svg.addEventListener('pointermove', (event) => {
    if (dragged === undefined || event.buttons === 0) {
      if (pinned < 0) show(nodeAt(event))
      return
    }
    const unit = 1 / svg.getScreenCTM()!.a
    const [moveX, moveY] = [(event.clientX - dragged.x) * unit, (event.clientY - dragged.y) * unit]
    look({ ...dragged.view, x: dragged.view.x - moveX, y: dragged.view.y - moveY })
  })
  svg.addEventListener('pointerup', (event) => {
    const isClick = dragged && Math.hypot(event.clientX - dragged.x, event.clientY - dragged.y) < 4
    dragged = undefined
    if (!isClick) return
    pinned = nodeAt(event)
    show(pinned)
  })
  svg.addEventListener('pointerleave', () => {
    dragged = undefined
    show(pinned)
  })
  find.addEventListener('input', () => {
    const name = find.value.trim()
    pinned = data.names.indexOf(name)
    show(pinned)
    if (pinned < 0) info.textContent = name === '' ? '' : `No node is named ${name}.`
    else {
      const [x, y] = places[pinned]
      look({ ...view, x: x - view.width / 2, y: y - view.height / 2 })
    }
  })
  new ResizeObserver(keepSizes).observe(svg)
  for (const button of element.querySelectorAll<HTMLElement>('[data-zoom]')) {
    button.addEventListener('click', () => {
      if (button.dataset.zoom === 'all') look(whole)
      else zoom(button.dataset.zoom === 'in' ? ZOOM : 1 / ZOOM)
    })
  }
}

for (const element of document.querySelectorAll<HTMLElement>('[data-graph]')) bringToLife(element)
