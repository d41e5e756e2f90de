// Opens every page of a site from file:// with the network cut, and prints what it saw as JSON.
//
//   node browse.js NODE_MODULES CHROMIUM SITE SCREENSHOTS
//
// Per page: errors on the console, requests that are no file of the site, links that lead nowhere,
// charts that have no size, what axe-core objects to (WCAG 2.2 A and AA) in light and dark, and
// whether the page is wider than a phone. SCREENSHOTS is a folder, or - for none.
const fs = require("fs");
const path = require("path");
const { pathToFileURL } = require("url");

const [modules, chromium, site, shots] = process.argv.slice(2);
const playwright = require(path.join(modules, "playwright-core"));
const axe = fs.readFileSync(path.join(modules, "axe-core", "axe.min.js"), "utf-8");
const OURS = /^[^/]*\.html$/; // the others are dbt's page and those of Great Expectations, mended
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

function pagesOf(folder, below = "") {
  return fs.readdirSync(path.join(folder, below), { withFileTypes: true }).flatMap((one) => {
    const name = path.posix.join(below, one.name);
    return one.isDirectory() ? pagesOf(folder, name) : name.endsWith(".html") ? [name] : [];
  });
}

async function look(browser, name, options) {
  const context = await browser.newContext({ offline: true, ...options });
  const page = await context.newPage();
  const seen = { page: name, errors: [], foreign: [], dead: [], flat: 0, charts: 0, axe: [] };
  page.on("console", (one) => one.type() === "error" && seen.errors.push(one.text()));
  page.on("pageerror", (one) => seen.errors.push(String(one)));
  page.on("requestfailed", (one) => seen.errors.push(`failed: ${one.url().slice(0, 200)}`));
  page.on("request", (one) => {
    const root = pathToFileURL(site + path.sep).href;
    if (!one.url().startsWith(root) && !one.url().startsWith("data:")) seen.foreign.push(one.url());
  });
  await page.goto(pathToFileURL(path.join(site, name)).href, { waitUntil: "load" });
  await page.waitForTimeout(OURS.test(name) ? 0 : 1500);
  const found = await page.evaluate(() => ({
    links: [...document.querySelectorAll("a[href]")].map((one) => one.getAttribute("href")),
    sizes: [...document.querySelectorAll("svg[role=img]")].map((one) => one.getBoundingClientRect())
      .map((one) => Math.min(one.width, one.height)),
    names: [...document.querySelectorAll("[id]")].map((one) => one.id),
    text: document.body.innerText.trim().length,
    over: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  }));
  Object.assign(seen, { charts: found.sizes.length, flat: found.sizes.filter((one) => one < 20).length });
  Object.assign(seen, { text: found.text, over: found.over });
  if (OURS.test(name)) {
    for (const link of found.links) {
      const [file, part] = link.split("#");
      if (/^[a-z]+:/.test(link)) seen.dead.push(link);
      else if (file && !fs.existsSync(path.join(site, path.dirname(name), file))) seen.dead.push(link);
      else if (!file && part && !found.names.includes(part)) seen.dead.push(link);
    }
    await page.evaluate(() => document.querySelectorAll("details").forEach((one) => (one.open = true)));
  }
  await page.evaluate(axe);
  const rules = OURS.test(name) ? [...RULES, "best-practice"] : RULES;
  const result = await page.evaluate((tags) => axe.run(document, { runOnly: tags }), rules);
  seen.axe = result.violations.map((one) => `${one.id}: ${one.nodes.length} × ${one.nodes[0].html.slice(0, 160)}`);
  seen.passes = result.passes.length;
  if (OURS.test(name)) {
    await page.evaluate(() => document.querySelectorAll("details").forEach((one) => (one.open = false)));
  }
  if (shots !== "-") {
    const kind = `${options.colorScheme}-${options.viewport.width}`;
    await page.screenshot({ path: path.join(shots, `${name.replace(/\W/g, "_")}-${kind}.png`), fullPage: OURS.test(name) });
  }
  await context.close();
  return seen;
}

(async () => {
  const browser = await playwright.chromium.launch({ executablePath: chromium, args: ["--no-sandbox"] });
  const seen = [];
  for (const name of pagesOf(site)) {
    for (const options of [
      { colorScheme: "light", viewport: { width: 1280, height: 900 } },
      { colorScheme: "dark", viewport: { width: 390, height: 844 } },
    ]) {
      seen.push({ ...(await look(browser, name, options)), scheme: options.colorScheme });
    }
  }
  await browser.close();
  console.log(JSON.stringify(seen));
})();
