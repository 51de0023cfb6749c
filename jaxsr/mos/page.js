"use strict";
// What is kept: {rater, started, at, answers: {id: {score, seconds}}}. `at` counts the screens:
// the examples, then the pictures, then the end.
const data = JSON.parse(document.getElementById("data").textContent);
const slot = "jaxsr-mos-" + data.page;
const screens = data.examples + data.ids.length; // and, after them, the end
const $ = (id) => document.getElementById(id);
let state = load();
let order = [];
let shownAt = 0;

function load() {
  try {
    const kept = JSON.parse(localStorage.getItem(slot));
    // Whatever else may lie there is not gone on with.
    const screen = Number.isInteger(kept.at) && 0 <= kept.at && kept.at <= screens;
    const answers = Object(kept.answers) === kept.answers;
    return typeof kept.rater === "string" && screen && answers ? kept : null;
  } catch {
    return null;
  }
}

function keep() {
  try {
    localStorage.setItem(slot, JSON.stringify(state));
  } catch {
    $("trouble").hidden = false;
  }
}

// FNV-1a with the last steps of MurmurHash3, 32 bits.
function hash(text) {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

// The rater's own order of the pictures, the same after each reload.
function shuffled(rater) {
  const rank = data.ids.map((id) => hash(data.page + rater + id));
  return data.ids.map((_, i) => i).sort((i, j) => rank[i] - rank[j] || i - j);
}

function picture(name, alt) {
  const img = new Image();
  img.alt = alt;
  // A pixel of the picture is a whole number of pixels of the screen, so that nothing is blurred.
  img.onload = () => {
    const pixel = Math.max(1, Math.round(devicePixelRatio)) / devicePixelRatio;
    img.style.width = img.naturalWidth * pixel + "px";
    // A large picture begins with its middle, the examples with their captions.
    const part = $("scores").hidden ? 0 : 0.5;
    $("pane").scrollTo(
      ($("pane").scrollWidth - $("pane").clientWidth) * part,
      ($("pane").scrollHeight - $("pane").clientHeight) * part,
    );
    shownAt = performance.now();
  };
  img.src = "data:image/png;base64," + $(name).textContent;
  return img;
}

function example(name, caption) {
  const figure = document.createElement("figure");
  const text = document.createElement("figcaption");
  text.textContent = caption;
  figure.append(text, picture(name, "Example: " + caption));
  return figure;
}

function show() {
  $("start").hidden = Boolean(state);
  $("screen").hidden = !state || state.at === screens;
  $("end").hidden = !state || state.at !== screens;
  if (!state || state.at === screens) return;
  const i = state.at - data.examples;
  const training = i < 0;
  document.activeElement.blur(); // else Enter would press the score of the last picture again
  $("pane").className = training ? "examples" : "";
  $("scores").hidden = training;
  $("early").hidden = !Object.keys(state.answers).length;
  $("back").disabled = state.at === 0;
  $("progress").max = data.ids.length;
  $("progress").value = Math.max(0, i);
  if (training) {
    $("where").textContent = `Example ${state.at + 1} of ${data.examples}`;
    $("pane").replaceChildren(
      example("low" + state.at, "1: Bad"),
      example("high" + state.at, "5: Excellent"),
    );
    $("next").disabled = false;
    return;
  }
  shownAt = performance.now();
  $("where").textContent = `Picture ${i + 1} of ${data.ids.length}`;
  $("pane").replaceChildren(picture("p" + order[i], `Picture ${i + 1}`));
  const given = state.answers[data.ids[order[i]]];
  $("next").disabled = !given;
  for (const button of $("scores").children) {
    button.setAttribute("aria-pressed", String(given?.score === Number(button.value)));
  }
}

function go(step) {
  state.at += step;
  keep();
  show();
}

function rate(score) {
  const seconds = Math.round(performance.now() - shownAt) / 1000;
  state.answers[data.ids[order[state.at - data.examples]]] = { score, seconds };
  go(1);
}

function save() {
  const given = order.map((i) => data.ids[i]).filter((id) => id in state.answers);
  const answers = {
    format: data.answers,
    page: data.page,
    rater: state.rater,
    started: state.started,
    saved: new Date().toISOString(),
    screen: { width: screen.width, height: screen.height, pixel_ratio: devicePixelRatio },
    answers: given.map((id) => ({ id, ...state.answers[id] })),
  };
  const file = new Blob([JSON.stringify(answers, null, 2) + "\n"], { type: "application/json" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = `mos-${data.page}-${state.rater.replace(/[^\p{L}\p{N}]+/gu, "_")}.json`;
  link.click();
}

$("count").textContent = data.ids.length;
$("rated").textContent = data.ids.length;
$("examples-first").hidden = !data.examples;
$("form").onsubmit = (event) => {
  event.preventDefault();
  const rater = $("rater").value.trim();
  if (!rater) return;
  state = { rater, started: new Date().toISOString(), at: 0, answers: {} };
  order = shuffled(rater);
  keep();
  show();
};
$("scores").onclick = (event) => {
  const button = event.target.closest("button");
  if (button) rate(Number(button.value));
};
$("back").onclick = $("review").onclick = () => go(-1);
$("next").onclick = () => go(1);
$("save").onclick = $("early").onclick = save;
$("again").onclick = () => {
  if (!confirm("The answers kept in this browser will be deleted. Have you saved them?")) return;
  localStorage.removeItem(slot);
  state = null;
  $("rater").value = "";
  show();
};
document.onkeydown = (event) => {
  if ($("screen").hidden || event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
  if (/^[1-5]$/.test(event.key) && !$("scores").hidden) rate(Number(event.key));
  else if (event.key === "Backspace") $("back").click();
  else if (event.key === "Enter" && event.target === document.body) $("next").click();
};
if (state) order = shuffled(state.rater);
show();
