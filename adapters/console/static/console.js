"use strict";
// Shows requests as they end. Everything on the other pages works without it.
{
  const MAX_ROWS = 200;
  const SAY_EVERY_MS = 5000; // a screen reader reads the state aloud
  const AGAIN_MS = 10000;
  const live = document.getElementById("live");
  const state = document.getElementById("live-state");
  const controls = document.getElementById("live-controls");
  const pause = document.getElementById("pause");
  const onlyRefused = document.getElementById("only-refused");
  const rows = document.getElementById("rows");
  const counts = document.getElementById("counts");
  let place = live.dataset.place;
  let source = null;
  let timer = null;
  let seen = 0;
  let refused = 0;
  let missed = 0;
  let saidAt = 0;

  const say = (text, now = false) => {
    if (now || Date.now() - saidAt >= SAY_EVERY_MS) {
      saidAt = Date.now();
      state.textContent = text;
    }
  };

  // Text is only ever set as text: keys and names come from peers.
  const cell = (row, text, className = "", tag = null) => {
    const made = row.insertCell();
    made.className = className;
    const inner = tag ? made.appendChild(document.createElement(tag)) : made;
    inner.textContent = text;
    return made;
  };

  const reasonIn = (row, reason) => {
    const made = row.insertCell();
    made.className = "reason";
    const code = document.createElement("code");
    code.textContent = reason;
    const anchor = reason.replace(/^observed_/, "");
    if (/^[a-z][a-z_]*$/.test(anchor)) {
      const link = document.createElement("a");
      link.href = "/console/reasons#" + anchor;
      link.append(code);
      made.append(link);
    } else {
      made.append(code);
    }
    return made;
  };

  const time = (seconds) =>
    new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ");

  const show = (request) => {
    const row = rows.insertRow(0);
    row.className = request.outcome;
    cell(row, time(request.time), "whole");
    cell(row, request.outcome, "outcome " + request.outcome);
    const reason = reasonIn(row, request.reason);
    if (request.advice) {
      const advice = document.createElement("span");
      advice.className = "advice";
      request.advice.split("`").forEach((part, index, parts) => {
        const code = index % 2 === 1 && index < parts.length - 1;
        const made = advice.appendChild(document.createElement(code ? "code" : "span"));
        made.textContent = part;
      });
      reason.append(" ", advice);
    }
    cell(row, request.key || request.operation, "key", "code");
    cell(row, request.entity);
    cell(row, request.application);
    cell(row, request.served_from);
    cell(row, request.milliseconds + " ms", "number");
    cell(row, request.request_id, "whole", "code");
    while (rows.rows.length > MAX_ROWS) rows.deleteRow(-1);
  };

  const showCounts = (found) => {
    counts.replaceChildren();
    for (const [name, count] of Object.entries(found)) {
      const split = name.indexOf(" ");
      const row = counts.insertRow();
      cell(row, name.slice(0, split), "outcome " + name.slice(0, split));
      reasonIn(row, name.slice(split + 1));
      cell(row, Math.round(count).toLocaleString("en"), "number");
    }
  };

  const report = (now) => {
    const left = missed ? `, ${missed} more not shown` : "";
    say(`Live: ${seen} requests since this page was opened, ${refused} not answered${left}.`, now);
  };

  const take = (event) => {
    place = event.lastEventId;
    const data = JSON.parse(event.data);
    for (const request of data.rows) {
      show(request);
      seen += 1;
      refused += request.outcome === "answered" ? 0 : 1;
    }
    missed += data.missed;
    showCounts(data.counts);
    report(false);
  };

  const stop = () => {
    clearTimeout(timer);
    if (source) source.close();
    source = null;
  };

  const start = () => {
    stop();
    source = new EventSource(live.dataset.events + "?after=" + encodeURIComponent(place));
    source.addEventListener("open", () => report(true));
    source.addEventListener("requests", take);
    source.addEventListener("error", () => {
      if (source && source.readyState === EventSource.CLOSED) {
        say("Not live: too many pages are, or the service is stopping. Trying again.", true);
        timer = setTimeout(start, AGAIN_MS);
      } else {
        say("The connection was lost. Trying again.", true);
      }
    });
  };

  pause.addEventListener("click", () => {
    const paused = pause.getAttribute("aria-pressed") !== "true";
    pause.setAttribute("aria-pressed", String(paused));
    if (paused) {
      stop();
      say("Paused.", true);
    } else {
      start();
    }
  });
  onlyRefused.addEventListener("change", () => {
    document.body.classList.toggle("only-refused", onlyRefused.checked);
  });
  addEventListener("pagehide", stop);
  addEventListener("pageshow", (event) => { if (event.persisted) start(); });
  controls.hidden = false;
  say("Connecting.", true);
  start();
}
