import * as pulumi from "@pulumi/pulumi";
import { StreamConsumer, StreamTriggeredCounter } from "@pulumi/stream-triggered-counter";

const hits = new StreamTriggeredCounter("hits", {
    table: { deletionProtection: true },
    stream: { batchSize: 500, maximumBatchingWindowInSeconds: 1 },
    functions: { logLevel: "WARN", logRetentionInDays: 7 },
    api: { corsAllowOrigins: ["https://example.org"] },
    tags: { team: "web" },
});

const audit = new StreamConsumer("audit", {
    streamArn: hits.streamArn,
    code: new pulumi.asset.AssetArchive({ "audit.py": new pulumi.asset.FileAsset("audit.py") }),
    handler: "audit.handler",
    filters: ['{"eventName": ["REMOVE"]}'],
});

export const apiEndpoint = hits.apiEndpoint;
export const recordVisit = hits.functionNames.apply((names) => names["recordVisit"]);
export const failures = audit.deadLetterQueueUrl;
