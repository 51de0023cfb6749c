"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const $ = id => document.getElementById(id);
const frame = $("frame"), viewer = $("viewer");
const [under, over] = frame.querySelectorAll(".layer");
const tags = frame.querySelectorAll(".tag");

// What is seen: image, columns left and right, errors or pictures, and the part of the image:
// its left upper corner in fractions of width and height, enlarged z times.
const state = { image: 0, left: 0, right: 1, errors: false, x: 0, y: 0, z: 1 };
const MAX_ZOOM = 64;
let errorMaps = new Map(); // of the present image only: the pictures may be large

function pictureUrl(column) {
  return "data:image/png;base64," + $(`p${state.image}-${column}`).textContent;
}

async function pixels(column) {
  const picture = new Image();
  picture.src = pictureUrl(column);
  await picture.decode();
  const canvas = document.createElement("canvas");
  canvas.width = picture.naturalWidth;
  canvas.height = picture.naturalHeight;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(picture, 0, 0);
  return [canvas, context, context.getImageData(0, 0, canvas.width, canvas.height)];
}

const STOPS = [[0, 0, 4], [87, 16, 110], [188, 55, 84], [249, 142, 9], [252, 255, 164]];
const FULL = 32; // gray levels of the last colour

async function errorUrl(column, gray) {
  const [[canvas, context, sr], [, , hr]] =
    await Promise.all([pixels(column), pixels(data.columns.length - 1)]);
  const [red, green, blue] = gray ? [1, 0, 0] : [65.481 / 255, 128.553 / 255, 24.966 / 255];
  const a = sr.data, b = hr.data;
  for (let i = 0; i < a.length; i += 4) {
    const error = Math.abs(
      red * (a[i] - b[i]) + green * (a[i + 1] - b[i + 1]) + blue * (a[i + 2] - b[i + 2]));
    const place = Math.min(error / FULL, 1) * (STOPS.length - 1);
    const stop = Math.min(Math.floor(place), STOPS.length - 2), part = place - stop;
    for (let c = 0; c < 3; c++) {
      a[i + c] = Math.round(STOPS[stop][c] * (1 - part) + STOPS[stop + 1][c] * part);
    }
  }
  context.putImageData(sr, 0, 0);
  return canvas.toDataURL();
}

function showsError(column) {
  return state.errors && data.columns[column].part === "result";
}

async function url(column) {
  if (!showsError(column)) return pictureUrl(column);
  if (!errorMaps.has(column)) errorMaps.set(column, errorUrl(column, data.images[state.image].gray));
  return errorMaps.get(column);
}

async function place(parent, column) {
  const image = data.images[state.image], { label, part } = data.columns[column];
  const picture = document.createElement("img");
  const what = showsError(column) ? `Error map of ${label} against HR` : label;
  picture.alt = [`${what}, ${image.name}`, image.scores[column]].filter(Boolean).join(": ");
  picture.draggable = false;
  if (part === "LR") picture.className = "lr";
  parent.replaceChildren(picture);
  picture.src = await url(column);
}

function caption(column) {
  const figcaption = document.createElement("figcaption"), small = document.createElement("small");
  const image = data.images[state.image];
  small.textContent = image.scores[column] ?? image.sizes[column];
  figcaption.append(data.columns[column].label, document.createElement("br"), small);
  return figcaption;
}

function showPictures() {
  const image = data.images[state.image];
  const aspect = image.width / image.height;
  $("image").value = state.image;
  $("left").value = state.left;
  $("right").value = state.right;
  $("previous").disabled = state.image === 0;
  $("next").disabled = state.image === data.images.length - 1;
  frame.style.aspectRatio = aspect;
  frame.style.maxWidth = $("slider").style.maxWidth = `calc(75vh * ${aspect})`;
  place(under, state.left);
  place(over, state.right);
  tags[0].textContent = data.columns[state.left].label;
  tags[1].textContent = data.columns[state.right].label;
  $("legend").hidden = !state.errors;
  $("grid").replaceChildren(...data.columns.map((_, column) => {
    const figure = document.createElement("figure"), pane = document.createElement("div");
    pane.className = "pane";
    pane.style.aspectRatio = aspect;
    place(pane, column);
    follow(pane);
    figure.append(pane, caption(column));
    return figure;
  }));
  for (const row of document.querySelectorAll("tr[data-image]")) {
    row.classList.toggle("shown", Number(row.dataset.image) === state.image);
  }
  showView();
}

function showView() {
  const limit = 1 - 1 / state.z;
  state.x = Math.min(Math.max(state.x, 0), limit);
  state.y = Math.min(Math.max(state.y, 0), limit);
  viewer.style.setProperty("--view",
    `translate(${-100 * state.x * state.z}%, ${-100 * state.y * state.z}%) scale(${state.z})`);
  viewer.classList.toggle("zoomed", state.z > 1);
  const width = data.images[state.image].width;
  for (const pane of document.querySelectorAll(".pane")) {
    pane.classList.toggle("sharp", pane.clientWidth * state.z >= width);
  }
  $("pixels").disabled = width <= frame.clientWidth;
  $("zoom").textContent = `${Math.round(100 * frame.clientWidth * state.z / width)} %`;
}

// Zooms by a factor and keeps the point (u, v) of the pane, in fractions of it, in place.
function zoomBy(factor, u = 0.5, v = 0.5) {
  const z = Math.min(Math.max(state.z * factor, 1), MAX_ZOOM);
  state.x += u / state.z - u / z;
  state.y += v / state.z - v / z;
  state.z = z;
  showView();
}

function moveBy(dx, dy) {
  state.x += dx / state.z;
  state.y += dy / state.z;
  showView();
}

function cut(percent) {
  frame.style.setProperty("--cut", `${percent}%`);
  $("slider").value = percent;
}

function within(pane, event) {
  const box = pane.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
}

// Pointers on a pane: near the divider, or on the whole image, they move the divider; else the
// image; two of them zoom.
function follow(pane) {
  const pointers = new Map();
  let cutting = false, uncut = 50;
  pane.addEventListener("pointerdown", event => {
    if (event.button) return;
    const [u, v] = within(pane, event);
    const near = Math.abs(u * 100 - $("slider").value) * pane.clientWidth < 1200;
    if (cutting && pointers.size === 1) cut(uncut); // two fingers zoom; the first was not meant
    cutting = pane === frame && pointers.size === 0 && (near || state.z === 1);
    uncut = $("slider").value;
    pointers.set(event.pointerId, [u, v]);
    pane.setPointerCapture(event.pointerId);
    if (cutting) cut(100 * u);
  });
  pane.addEventListener("pointermove", event => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const [u, v] = within(pane, event);
    if (pointers.size === 2) {
      const [other] = [...pointers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
      const span = at => Math.hypot((at[0] - other[0]) * pane.clientWidth,
        (at[1] - other[1]) * pane.clientHeight);
      zoomBy(span([u, v]) / Math.max(span(before), 1), (u + other[0]) / 2, (v + other[1]) / 2);
      moveBy((before[0] - u) / 2, (before[1] - v) / 2);
    } else if (cutting) {
      cut(Math.min(Math.max(100 * u, 0), 100));
    } else {
      moveBy(before[0] - u, before[1] - v);
    }
    pointers.set(event.pointerId, [u, v]);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    pane.addEventListener(end, event => pointers.delete(event.pointerId));
  }
  pane.addEventListener("wheel", event => {
    if (pane !== frame && !event.ctrlKey) return; // the page must scroll over the small ones
    event.preventDefault();
    zoomBy(Math.exp(-event.deltaY / 400), ...within(pane, event));
  }, { passive: false });
}

function options(select, labels) {
  select.replaceChildren(...labels.map((label, i) => new Option(label, i)));
}

function showImage(i) {
  errorMaps = new Map();
  Object.assign(state, { image: i, x: 0, y: 0, z: 1 });
  showPictures();
}

function sortBy(header) {
  const table = header.closest("table"), at = header.cellIndex;
  const sign = header.getAttribute("aria-sort") === header.dataset.first ? -1 : 1;
  const first = header.dataset.first === "ascending" ? sign : -sign;
  const rows = [...table.tBodies[0].rows];
  rows.sort((a, b) => first * (a.cells[at].dataset.value - b.cells[at].dataset.value));
  table.tBodies[0].append(...rows);
  for (const other of table.tHead.querySelectorAll("th")) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", first === 1 ? "ascending" : "descending");
}

options($("image"), data.images.map(image => image.name));
for (const side of ["left", "right"]) options($(side), data.columns.map(column => column.label));
state.left = data.start[0];
state.right = data.start[1];
$("errors-label").hidden = !data.errors;
follow(frame);

$("slider").addEventListener("input", event => cut(event.target.value));
$("image").addEventListener("change", event => showImage(Number(event.target.value)));
$("previous").addEventListener("click", () => showImage(state.image - 1));
$("next").addEventListener("click", () => showImage(state.image + 1));
for (const side of ["left", "right"]) {
  $(side).addEventListener("change", event => {
    state[side] = Number(event.target.value);
    showPictures();
  });
}
$("errors").addEventListener("change", event => {
  state.errors = event.target.checked;
  showPictures();
});
$("in").addEventListener("click", () => zoomBy(1.5));
$("out").addEventListener("click", () => zoomBy(1 / 1.5));
$("fit").addEventListener("click", () => zoomBy(0));
$("pixels").addEventListener("click", () =>
  zoomBy(data.images[state.image].width / frame.clientWidth / state.z));
frame.addEventListener("keydown", event => {
  const keys = {
    ArrowLeft: () => moveBy(-0.1, 0), ArrowRight: () => moveBy(0.1, 0),
    ArrowUp: () => moveBy(0, -0.1), ArrowDown: () => moveBy(0, 0.1),
    "+": () => zoomBy(1.5), "=": () => zoomBy(1.5), "-": () => zoomBy(1 / 1.5), "0": () => zoomBy(0),
  };
  if (!keys[event.key] || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  keys[event.key]();
});
for (const header of document.querySelectorAll("th[data-first]")) {
  header.querySelector("button").addEventListener("click", () => sortBy(header));
}
for (const row of document.querySelectorAll("tr[data-image]")) {
  row.querySelector("button")?.addEventListener("click", () => {
    showImage(Number(row.dataset.image));
    viewer.scrollIntoView();
  });
}
addEventListener("resize", showView);
showImage(0);
