// Looks on while a build runs beside a served site, and prints what the page showed as JSON.
//
//   node look_on.js NODE_MODULES CHROMIUM URL SCREENSHOTS
//
// Says "ready" when the page is open. Ends when the page has reloaded by itself after the build.
// SCREENSHOTS is a folder, or - for none.
const fs = require("fs");
const path = require("path");

const [modules, chromium, url, shots] = process.argv.slice(2);
const playwright = require(path.join(modules, "playwright-core"));
const axe = fs.readFileSync(path.join(modules, "axe-core", "axe.min.js"), "utf-8");
const PATIENCE = { timeout: 200000 };

(async () => {
  const browser = await playwright.chromium.launch({ executablePath: chromium, args: ["--no-sandbox"] });
  const page = await browser.newPage({ viewport: { width: 390, height: 844 }, bypassCSP: false });
  const seen = { errors: [], foreign: [], live: [], axe: [], over: 0, reloads: -1 };
  page.on("console", (one) => one.type() === "error" && seen.errors.push(one.text()));
  page.on("pageerror", (one) => seen.errors.push(String(one)));
  page.on("request", (one) => one.url().startsWith(url) || seen.foreign.push(one.url()));
  page.on("load", () => (seen.reloads += 1));
  await page.goto(url, { waitUntil: "load" });
  console.error("ready");
  // not waitForFunction, which the policy of the page keeps from running
  await page.waitForSelector("#live li", { state: "attached", ...PATIENCE });
  await page.evaluate(axe);
  seen.axe = await page.evaluate(async () => (await axe.run("#live")).violations.map((one) => one.id));
  seen.over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (shots !== "-") await page.screenshot({ path: path.join(shots, "live-390.png") });
  while (seen.reloads === 0) {
    try {
      const text = await page.evaluate(() => document.getElementById("live").innerText);
      if (text !== seen.live.at(-1)) seen.live.push(text);
    } catch {
      // the page is just being loaded again
    }
    await new Promise((done) => setTimeout(done, 300));
  }
  await page.waitForSelector("#live", { state: "hidden", ...PATIENCE });
  await browser.close();
  console.log(JSON.stringify(seen));
})();
