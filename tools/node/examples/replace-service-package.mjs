// A kernel whose package service is pakhus, with what its database has in
// sys_packages: imported once, and served from the store from then on.
// usage: node replace-service-package.mjs DATABASE STORE
//
// Beside pakhus it needs ObjectStack's @objectstack/core, objectql and
// driver-sql, and better-sqlite3.
import { ObjectKernel } from '@objectstack/core';
import { SqlDriver } from '@objectstack/driver-sql';
import { ObjectQL, ObjectQLPlugin } from '@objectstack/objectql';
import { PackageServicePlugin } from 'pakhus/service-package';

const [filename, path] = process.argv.slice(2);
const kernel = new ObjectKernel({ logger: { level: 'warn' } });
const engine = new ObjectQL();
const driver = new SqlDriver({ client: 'better-sqlite3',
	connection: { filename }, useNullAsDefault: true });

await driver.connect();
engine.registerDriver(driver, true);
await kernel.use(new ObjectQLPlugin(engine));
await kernel.use(new PackageServicePlugin({ path, import: true }));
await kernel.bootstrap();

for (const { id, version, hash } of await kernel.getService('package').list())
	console.log('package', id, version, hash);

await kernel.shutdown();
process.exit(0);
