/** Generates an interface for each message of the sockets: node messages.js asyncapi.json FOLDER */

import { readFileSync } from "node:fs";
import { TypeScriptFileGenerator } from "@asyncapi/modelina";

const [document, folder] = process.argv.slice(2);
const generator = new TypeScriptFileGenerator({ modelType: "interface" });
const models = await generator.generateToFiles(JSON.parse(readFileSync(document)), folder, {}, true);
console.log(`${models.length} interfaces`);
