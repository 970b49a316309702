CREATE TABLE `audit_log` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`at` text NOT NULL,
	`actor` text NOT NULL,
	`action` text NOT NULL,
	`target` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `deliveries` (
	`id` integer PRIMARY KEY NOT NULL,
	`source` text NOT NULL,
	`event` text NOT NULL,
	`verdict` text NOT NULL,
	`dedup_key` text NOT NULL,
	`status` text NOT NULL,
	`attempts` integer NOT NULL,
	`kept` text NOT NULL,
	`outcome` text,
	`processed_at` text
);
--> statement-breakpoint
CREATE INDEX `deliveries_dedup` ON `deliveries` (`dedup_key`);--> statement-breakpoint
CREATE TABLE `downloads` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`video_id` text NOT NULL,
	`url` text NOT NULL,
	`title` text,
	`channel` text,
	`duration_seconds` real,
	`thumbnail` text,
	`quality` text NOT NULL,
	`format` text NOT NULL,
	`status` text NOT NULL,
	`attempt` integer NOT NULL,
	`failure` text,
	`file` text,
	`rating_key` text,
	`created_at` text NOT NULL,
	`started_at` text,
	`ended_at` text
);
--> statement-breakpoint
CREATE UNIQUE INDEX `downloads_active` ON `downloads` (`user_id`,`video_id`) WHERE ended_at is null;--> statement-breakpoint
CREATE INDEX `downloads_by_user` ON `downloads` (`user_id`,`created_at`);--> statement-breakpoint
CREATE TABLE `health_samples` (
	`id` integer PRIMARY KEY NOT NULL,
	`service` text NOT NULL,
	`status` text NOT NULL,
	`cause` text,
	`latency_ms` real
);
--> statement-breakpoint
CREATE TABLE `users` (
	`id` text PRIMARY KEY NOT NULL,
	`username` text NOT NULL,
	`email` text,
	`thumb` text,
	`role` text NOT NULL,
	`sealed_account_token` text NOT NULL,
	`sealed_server_token` text NOT NULL,
	`created_at` text NOT NULL,
	`signed_in_at` text NOT NULL
);
