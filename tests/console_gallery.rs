//! Every screen of the console at every size in every theme: what must hold on all of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod console_support;
#[path = "console_promotions/scene.rs"]
#[allow(dead_code)]
mod promotion_scene;
#[path = "console_review/scene.rs"]
#[allow(dead_code)]
mod review_scene;

#[path = "console_gallery/boards.rs"]
mod boards;
#[path = "console_gallery/pictures.rs"]
mod pictures;
#[path = "console_gallery/scenes.rs"]
mod scenes;
#[path = "console_gallery/walk.rs"]
mod walk;
