const box = document.getElementById("live");
const add = (parent, tag, text, name) => {
  const made = parent.appendChild(document.createElement(tag));
  made.textContent = text ?? "";
  if (name) made.className = name;
  return made;
};
const bar = (parent, done, total, label) => {
  const made = add(parent, "progress");
  made.setAttribute("aria-label", label);
  made.max = total || 1;
  if (total) made.value = done;
};
let version;
let headline;
new EventSource("/changes").onmessage = (event) => {
  const told = JSON.parse(event.data);
  if (version !== undefined && version !== told.version) return location.reload();
  version = told.version;
  box.hidden = !told.headline;
  if (headline !== told.headline) {
    headline = told.headline; // read out once, not each second
    box.firstElementChild.textContent = headline;
  }
  const body = box.lastElementChild;
  body.replaceChildren();
  const build = told.build;
  if (!build) return;
  bar(add(body, "p", `${build.told} `), build.n_done, build.n_total, "Models and tests done");
  if (build.failed.length) add(body, "p", `Failed so far: ${build.failed.join(", ")}`);
  const list = add(body, "ul");
  for (const stage of build.stages) {
    const item = add(list, "li");
    add(item, "code", stage.name);
    add(item, "span", ` ${stage.facts.join(" · ")} `);
    if (stage.n_total) bar(item, stage.n_done, stage.n_total, stage.name);
  }
};
