"use strict";

// The sample browser. Rows of samples are unpacked when they are first looked at.
(() => {
  const byId = (id) => document.getElementById(id);
  const { rows, problems, titles } = JSON.parse(byId("catalogue").textContent);
  const pick = Object.fromEntries(
    ["model", "method", "benchmark", "problem"].map((name) => [name, byId(`pick-${name}`)]),
  );
  const unpacked = new Map();
  let latest = 0; // number of the newest request: what arrives for an older one is not shown

  async function unpack(index) {
    const packed = Uint8Array.from(atob(byId(`pack-${index}`).textContent), (c) => c.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  }

  function samplesOf(index) {
    if (!unpacked.has(index)) unpacked.set(index, unpack(index));
    return unpacked.get(index);
  }

  // All model text goes in as text, never as HTML.
  function fill(select, options, keep) {
    select.replaceChildren(...options.map(([value, label]) => new Option(label, value)));
    if (options.some(([value]) => value === keep)) select.value = keep;
  }

  function verdictOf(sample) {
    if (sample.right) return "right";
    return sample.status === "timeout" ? "timeout" : "wrong";
  }

  function shown(sample, number) {
    const part = byId("response").content.cloneNode(true);
    const verdict = verdictOf(sample);
    const said = part.querySelector(".said code");
    const facts = [`${sample.tokens} tokens`];
    if (sample.finish !== "stop") facts.push(`ended by ${sample.finish}`);
    if (sample.other !== sample.right) {
      facts.push(`the other grader says ${sample.other ? "right" : "wrong"}`);
    }
    const status = sample.status === "ok" || verdict === "timeout" ? "" : sample.status;
    part.querySelector("article").classList.add(verdict);
    part.querySelector(".which").textContent = `${number}`;
    part.querySelector(".verdict").textContent = verdict + (status && `: ${status.replace("_", " ")}`);
    if (sample.answer === null) part.querySelector(".said").textContent = "no answer in a box";
    else said.textContent = sample.answer;
    part.querySelector(".facts").textContent = facts.join(", ");
    part.querySelector("pre").textContent = sample.text;
    return part;
  }

  function clip(text, length) {
    const line = text.replace(/\s+/g, " ");
    return line.length > length ? `${line.slice(0, length)}…` : line;
  }

  function fillMethods() {
    const own = rows.map((row, i) => [String(i), row]).filter(([, r]) => r.model === pick.model.value);
    const before = rows[pick.method.value]?.method;
    fill(pick.method, own.map(([i, row]) => [i, row.method]));
    const same = own.find(([, row]) => row.method === before);
    if (same) pick.method.value = same[0];
  }

  async function show() {
    const request = ++latest;
    const samples = (await samplesOf(Number(pick.method.value)))[pick.benchmark.value] ?? {};
    if (request !== latest) return;
    const listed = problems[pick.benchmark.value];
    const options = listed.map(({ id, problem }, i) => {
      const own = samples[id] ?? [];
      const right = own.filter((sample) => sample.right).length;
      return [id, `${i + 1}. (${right}/${own.length} right) ${clip(problem, 60)}`];
    });
    fill(pick.problem, options, pick.problem.value);
    const at = pick.problem.selectedIndex;
    byId("question").textContent = listed[at].problem;
    byId("gold").textContent = listed[at].answer;
    byId("previous").disabled = at === 0;
    byId("next").disabled = at === listed.length - 1;
    const responses = (samples[pick.problem.value] ?? []).map((s, i) => [verdictOf(s), s, i + 1]);
    const wanted = document.querySelector("input[name=filter]:checked").value;
    for (const input of document.querySelectorAll("input[name=filter]")) {
      const count = responses.filter(([v]) => input.value === "all" || v === input.value).length;
      input.parentNode.querySelector("b").textContent = count;
    }
    const kept = responses.filter(([verdict]) => wanted === "all" || verdict === wanted);
    byId("responses").replaceChildren(...kept.map(([, sample, number]) => shown(sample, number)));
    if (!kept.length) byId("responses").textContent = `No ${wanted} responses to this problem.`;
  }

  function step(by) {
    pick.problem.selectedIndex += by;
    show();
  }

  // What stands after # may be anything, also what cannot be decoded.
  function address() {
    try {
      return decodeURIComponent(location.hash.slice(1));
    } catch {
      return "";
    }
  }

  // #samples/MODEL/METHOD/BENCHMARK, as the tables' numbers have it
  function follow() {
    const [section, model, method, benchmark] = address().split("/");
    const index = rows.findIndex((row) => row.key === `${model}/${method}`);
    if (section !== "samples" || index < 0 || !Object.hasOwn(problems, benchmark)) return;
    pick.model.value = rows[index].model;
    fillMethods();
    pick.method.value = String(index);
    pick.benchmark.value = benchmark;
    byId("samples").scrollIntoView();
    show();
  }

  fill(pick.model, [...new Set(rows.map((row) => row.model))].map((model) => [model, model]));
  fillMethods();
  fill(pick.benchmark, Object.keys(problems).map((name) => [name, titles[name] ?? name]));
  pick.model.addEventListener("change", fillMethods);
  for (const select of Object.values(pick)) select.addEventListener("change", show);
  byId("filter").addEventListener("change", show);
  byId("previous").addEventListener("click", () => step(-1));
  byId("next").addEventListener("click", () => step(1));
  window.addEventListener("hashchange", follow);
  show();
  follow();
})();
